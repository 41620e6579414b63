package io.unroll.cli;

import io.unroll.Backend;
import io.unroll.io.Safetensors;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Compares a device with what PyTorch, or any other program, computed. */
@Command(
    name = "verify",
    description = {
      "Shows whether a network computes here what it computed in PyTorch.",
      "",
      "Reads its weights, its input and its results from a safetensors file, computes the results"
          + " on a device, and compares every output and every gradient.",
      "",
      "A device passes if it is off by no more than four times what plain arithmetic of its"
          + " precision is on the same data, or 32 half-ulps of the largest value; float64 against"
          + " float64 if it agrees to 1e-10. A tensor in the file that nothing computes is an"
          + " error.",
      "",
      "A file holds x [T,B,I], output [T,B,D*H], param.NAME for every parameter and, as far as you"
          + " want them compared, h_0 h_n c_0 c_n [L*D,B,H], lengths [B], and grad.NAME of"
          + " sum(output*d_output) + sum(h_n*d_h_n) + sum(c_n*d_c_n). The metadata names the cell:"
          + " tanh, relu, gru or lstm. Files about cross_entropy, mse, ctc_loss, optimizers"
          + " and clip_grad_norm are known by their tensors."
    },
    footer = {
      "  unroll verify lstm.safetensors",
      "  unroll verify lstm.safetensors --device reference",
      "",
      "This Python program writes such a file:",
      "  import torch",
      "  from safetensors.torch import save_file",
      "  rnn = torch.nn.LSTM(4, 6, num_layers=2).double()",
      "  x = torch.randn(5, 3, 4, dtype=torch.double, requires_grad=True)",
      "  output, (h_n, c_n) = rnn(x)",
      "  d = [torch.randn_like(t) for t in (output, h_n, c_n)]",
      "  torch.autograd.backward([output, h_n, c_n], d)",
      "  t = dict(x=x, output=output, h_n=h_n, c_n=c_n)",
      "  t.update(zip(['d_output', 'd_h_n', 'd_c_n'], d))",
      "  t['grad.x'] = x.grad",
      "  for name, p in rnn.named_parameters():",
      "      t['param.' + name], t['grad.' + name] = p, p.grad",
      "  t = {k: v.detach().contiguous() for k, v in t.items()}",
      "  save_file(t, 'lstm.safetensors', metadata={'cell': 'lstm'})"
    })
final class VerifyCommand implements Callable<Integer> {
  @Mixin DeviceOptions device;

  @Parameters(
      paramLabel = "FILE",
      description = "What was computed elsewhere, a safetensors file (no default).")
  Path file;

  @Option(names = "--quiet", description = "Print only what differs.")
  boolean quiet;

  @Spec CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    GoldenCheck check;
    try (Safetensors tensors = Safetensors.read(file)) {
      check = GoldenCheck.of(new TensorFile(tensors));
    }
    List<Verdict> verdicts;
    try (Backend backend = device.open(quiet ? null : out)) {
      verdicts = check.run(backend);
    }
    if (!quiet) {
      print(out, check, verdicts);
    }
    List<Verdict> differing = verdicts.stream().filter(v -> !v.passes()).toList();
    if (differing.isEmpty()) {
      if (!quiet) {
        out.println("all " + verdicts.size() + " tensors agree");
      }
      return 0;
    }
    for (Verdict verdict : differing) {
      spec.commandLine().getErr().println("differs: " + verdict.explanation());
    }
    return 1;
  }

  private void print(PrintWriter out, GoldenCheck check, List<Verdict> verdicts) {
    out.println(check.title());
    String layout = "%-28s %-14s %11s %13s  %s%n";
    out.printf(layout, "tensor", "shape", "worst error", "of tolerance", "");
    for (Verdict verdict : verdicts) {
      out.printf(
          layout,
          verdict.name(),
          Arrays.toString(verdict.shape()).replace(" ", ""),
          String.format(Locale.ROOT, "%.2e", verdict.error()),
          String.format(Locale.ROOT, "%.3g", verdict.worst().times()),
          styled(verdict.passes() ? "@|green ok|@" : "@|red DIFFERS|@"));
    }
  }

  private String styled(String markup) {
    return spec.commandLine().getColorScheme().ansi().string(markup);
  }
}
