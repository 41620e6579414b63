package io.unroll.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

/**
 * Runs the tasks of one process and prints a line of JSON for each.
 *
 * <pre>
 * --setting NAME --threads N --seconds S [--warm S] [--warm-runs N] [--warm-limit S] [--runs N]
 *   [--case-limit S] TASK...
 * layer:CELL:T,B,I,H:infer|train[:VARIANT]   one layer, or what the variant says
 * agree:CELL[:VARIANT]             sums to compare with the other programs
 * char:CELL:LAYERS:T,B,V,H         a step of a character model
 * classic                          an iteration of the classic one
 * first                            one run of a small LSTM, without warming up
 * config                           what the software says of itself
 * </pre>
 *
 * <p>A variant is {@code LAYERS:one|both:full|ragged}.
 */
public final class Child {
  private static final double NANOS = 1e9;

  private final Peer peer;
  private final String setting;
  private final double seconds;
  private final double warm;
  private final int warmRuns;
  private final double warmLimit;
  private final int runs;
  private final double caseLimit;
  private double othersCores;

  private Child(Peer peer, Arguments arguments) {
    this.peer = peer;
    this.setting = arguments.setting;
    this.seconds = arguments.seconds;
    this.warm = arguments.warm;
    this.warmRuns = arguments.warmRuns;
    this.warmLimit = arguments.warmLimit;
    this.runs = arguments.runs;
    this.caseLimit = arguments.caseLimit;
  }

  private static final class Arguments {
    private final List<String> tasks = new ArrayList<>();
    private String setting = "default";
    private int threads = 1;
    private double seconds = 1;
    private double warm = 0.5;
    private int warmRuns = 10;
    private double warmLimit = 4;
    private int runs = 5;
    private double caseLimit = 60;

    Arguments(String... args) {
      for (int i = 0; i < args.length; i++) {
        switch (args[i]) {
          case "--setting" -> setting = args[++i];
          case "--threads" -> threads = Integer.parseInt(args[++i]);
          case "--seconds" -> seconds = Double.parseDouble(args[++i]);
          case "--warm" -> warm = Double.parseDouble(args[++i]);
          case "--warm-runs" -> warmRuns = Integer.parseInt(args[++i]);
          case "--warm-limit" -> warmLimit = Double.parseDouble(args[++i]);
          case "--runs" -> runs = Integer.parseInt(args[++i]);
          case "--case-limit" -> caseLimit = Double.parseDouble(args[++i]);
          default -> tasks.add(args[i]);
        }
      }
    }
  }

  /**
   * A child's main: runs the tasks of args, and ends the process with 1 if one of them failed.
   *
   * @param opener of the software that this child times
   */
  public static void run(Peer.Opener opener, String... args) {
    Arguments arguments = new Arguments(args);
    boolean good = true;
    try (Peer peer = opener.open(arguments.threads)) {
      Child child = new Child(peer, arguments);
      for (String task : arguments.tasks) {
        good &= child.tryTask(task);
      }
    } catch (Exception e) {
      e.printStackTrace();
      good = false;
    }
    System.exit(good ? 0 : 1);
  }

  private boolean tryTask(String task) {
    try {
      task(task);
      return true;
    } catch (Exception | LinkageError e) {
      e.printStackTrace();
      print(new Line("error").text("task", task).text("message", e.toString()));
      return false;
    }
  }

  private void task(String task) throws Exception {
    String[] parts = task.split(":");
    switch (parts[0]) {
      case "layer" -> layer(Case.parse(parts[1], parts[2], parts[3], variant(parts, 4)));
      case "agree" -> agree(Case.agreement(parts[1], variant(parts, 2)));
      case "char" -> step(CharModel.parse(parts[1], parts[2], parts[3]));
      case "classic" -> print(new Line("classic").times(measure(peer.classic())));
      case "first" -> first();
      case "config" -> print(new Line("config").text("details", peer.details()));
      default -> throw new IllegalArgumentException("unknown task \"" + task + "\"");
    }
  }

  private static Case.Variant variant(String[] parts, int from) {
    return Case.Variant.parse(Arrays.copyOfRange(parts, from, parts.length));
  }

  private void layer(Case layer) throws Exception {
    double[] sorted = measure(peer.layer(layer));
    Line line =
        new Line("layer")
            .text("cell", layer.cell())
            .number("T", layer.steps())
            .number("B", layer.batch())
            .number("I", layer.inputSize())
            .number("H", layer.hiddenSize())
            .variant(layer.variant())
            .text("mode", layer.train() ? "train" : "infer")
            .times(sorted)
            .number("gflops", layer.operations() / quantile(sorted, 0.5) / 1e6);
    print(line);
  }

  private void step(CharModel model) throws Exception {
    double[] sorted = measure(peer.charStep(model));
    Line line =
        new Line("char")
            .text("cell", model.cell())
            .number("layers", model.layers())
            .number("T", model.steps())
            .number("B", model.batch())
            .number("I", model.symbols())
            .number("H", model.hiddenSize())
            .text("mode", "step")
            .times(sorted)
            .number("tokens_per_s", model.characters() / quantile(sorted, 0.5) * 1e3);
    print(line);
  }

  private void first() throws Exception {
    try (Timed timed = peer.layer(Case.parse("lstm", "16,1,8,16", "infer", Case.Variant.PLAIN))) {
      once(timed);
      timed.check();
    }
    print(new Line("first"));
  }

  private void agree(Case layer) throws Exception {
    Line line = new Line("agree").text("cell", layer.cell()).variant(layer.variant());
    Map<String, Double> sums = peer.agreement(layer);
    if (sums == null) {
      return;
    }
    sums.forEach(line::number);
    print(line);
  }

  /** Milliseconds of each run, ascending; notes how busy other processes were meanwhile. */
  private double[] measure(Timed made) {
    try (Timed timed = made) {
      long begun = System.nanoTime();
      double total = 0;
      for (int n = 0;
          (n < warmRuns || total < warm) && total < warmLimit && secondsSince(begun) < caseLimit;
          n++) {
        total += once(timed);
      }
      timed.check();
      List<Double> times = new ArrayList<>();
      CpuTimes before = CpuTimes.now();
      total = 0;
      do {
        double time = once(timed);
        times.add(time);
        total += time;
      } while ((times.size() < runs || total < seconds) && secondsSince(begun) < caseLimit);
      othersCores = CpuTimes.now().othersSince(before);
      return times.stream().mapToDouble(time -> time * 1e3).sorted().toArray();
    }
  }

  private static double once(Timed timed) {
    timed.prepare();
    long begun = System.nanoTime();
    timed.run();
    return secondsSince(begun);
  }

  private static double secondsSince(long begun) {
    return (System.nanoTime() - begun) / NANOS;
  }

  private static double quantile(double[] sorted, double share) {
    double at = share * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }

  private void print(Line line) {
    System.out.println(line.number("rss_mb", peakResidentMegabytes()));
    System.out.flush();
  }

  /** The most memory that this process has held, or 0 where the system does not tell. */
  private static double peakResidentMegabytes() {
    Path status = Path.of("/proc/self/status");
    try {
      for (String line : Files.readAllLines(status)) {
        if (line.startsWith("VmHWM:")) {
          return Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024;
        }
      }
    } catch (IOException e) {
      return 0;
    }
    return 0;
  }

  /** An object of JSON being written. */
  private final class Line {
    private final StringJoiner fields = new StringJoiner(", ", "{", "}");

    Line(String kind) {
      text("kind", kind);
      text("software", peer.software());
      text("version", peer.version());
      text("setting", setting);
    }

    Line text(String name, String value) {
      StringBuilder quoted = new StringBuilder("\"" + name + "\": \"");
      for (char c : value.toCharArray()) {
        if (c == '"' || c == '\\') {
          quoted.append('\\').append(c);
        } else if (c < ' ') {
          quoted.append(String.format("\\u%04x", (int) c));
        } else {
          quoted.append(c);
        }
      }
      fields.add(quoted.append('"'));
      return this;
    }

    Line number(String name, double value) {
      String written = value == Math.rint(value) ? Long.toString((long) value) : precise(value);
      fields.add("\"" + name + "\": " + written);
      return this;
    }

    private String precise(double value) {
      return String.format(Locale.ROOT, "%.6g", value);
    }

    /** Nothing of one layer in one direction over full rows. */
    Line variant(Case.Variant variant) {
      if (variant.equals(Case.Variant.PLAIN)) {
        return this;
      }
      number("layers", variant.layers());
      text("direction", variant.bidirectional() ? "both" : "one");
      return text("lengths", variant.ragged() ? "ragged" : "full");
    }

    Line times(double... sorted) {
      number("ms", quantile(sorted, 0.5));
      number("q1", quantile(sorted, 0.25));
      number("q3", quantile(sorted, 0.75));
      number("runs", sorted.length);
      return number("others", othersCores);
    }

    @Override
    public String toString() {
      return fields.toString();
    }
  }
}
