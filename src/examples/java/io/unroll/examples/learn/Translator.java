package io.unroll.examples.learn;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.examples.Examples;
import io.unroll.nn.Attention;
import io.unroll.nn.BeamSearch;
import io.unroll.nn.Embedding;
import io.unroll.nn.Indices;
import io.unroll.nn.Linear;
import io.unroll.nn.Losses;
import io.unroll.nn.Ops;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.train.OptimizerConfig;
import io.unroll.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** docs/learn.md, chapter 7: translates numbers below 1000 from words to digits. */
final class Translator implements AutoCloseable {
  // learn words begin
  static final List<String> WORDS =
      List.of(
          ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
                  + " fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty"
                  + " seventy eighty ninety hundred")
              .split(" "));

  static final int END = 10; // behind the digits 0 to 9, and before the first
  static final int LONGEST = 6; // "nine hundred ninety nine" has four words, "999" and END four

  /** 305 as the numbers of "three hundred five" in the list. */
  static int[] words(int number) {
    List<Integer> words = new ArrayList<>();
    if (number >= 100) {
      words.addAll(List.of(number / 100, WORDS.indexOf("hundred")));
    }
    int rest = number % 100;
    if (rest >= 20) {
      words.add(18 + rest / 10);
    }
    if (rest % 10 > 0 || (rest >= 10 && rest < 20) || number == 0) {
      words.add(rest < 20 ? rest : rest % 10);
    }
    return words.stream().mapToInt(Integer::intValue).toArray();
  }

  // learn words end

  // learn layers begin
  final Parameters parameters;
  final Tape tape;
  final Embedding words;
  final Embedding digits;
  final Recurrent encoder;
  final Recurrent decoder;
  final Attention attention;
  final Linear combine;
  final Linear head;

  Translator(Backend backend, int hiddenSize) {
    parameters = new Parameters(backend, 1);
    tape = new Tape(backend);
    words = new Embedding(parameters, "words", WORDS.size(), 16);
    digits = new Embedding(parameters, "digits", END + 1, 16);
    RecurrentConfig gru = RecurrentConfig.of(CellSpec.GRU, 16, hiddenSize);
    encoder = new Recurrent(parameters, "encoder", gru);
    decoder = new Recurrent(parameters, "decoder", gru);
    attention = new Attention(parameters, "attention", Attention.Score.DOT, hiddenSize, hiddenSize);
    combine = new Linear(parameters, "combine", 2 * hiddenSize, hiddenSize);
    head = new Linear(parameters, "head", hiddenSize, END + 1);
  }

  // learn layers end

  // learn read begin
  /** What the encoder made of a batch: its last state, and all its outputs to look at. */
  record Source(Tensor state, Attention.Memory memory) {}

  Source read(int[] numbers) {
    int batch = numbers.length;
    int[] lengths = new int[batch];
    int[] padded = new int[LONGEST * batch]; // [S,B]
    Arrays.fill(padded, Indices.IGNORED);
    for (int b = 0; b < batch; b++) {
      int[] row = words(numbers[b]);
      lengths[b] = row.length;
      for (int t = 0; t < row.length; t++) {
        padded[t * batch + b] = row[t];
      }
    }
    Indices valid = tape.indices(lengths, batch);
    Tensor x = words.forward(tape.indices(padded, LONGEST, batch));
    Recurrent.Output output = encoder.forward(x, Recurrent.Options.lengths(valid));
    return new Source(output.hN(), attention.memory(output.y(), valid));
  }

  // learn read end

  // learn attend begin
  /** Logits of the next digit, [T,B,11], from the decoder's outputs and what they find. */
  Tensor logits(Tensor y, Source source) {
    Tensor context = attention.forward(y, source.memory).context();
    return head.forward(Ops.tanh(combine.forward(Ops.concat(context, y))));
  }

  // learn attend end

  // learn teach begin
  /** Teacher forcing: the decoder reads the right digits, one step behind what it must say. */
  Tensor loss(int[] numbers) {
    int batch = numbers.length;
    int[] before = new int[4 * batch]; // [T,B], T = 3 digits and END
    int[] next = new int[4 * batch];
    Arrays.fill(before, END);
    Arrays.fill(next, Indices.IGNORED);
    for (int b = 0; b < batch; b++) {
      String text = Integer.toString(numbers[b]);
      for (int t = 0; t <= text.length(); t++) {
        next[t * batch + b] = t < text.length() ? text.charAt(t) - '0' : END;
        if (t > 0) {
          before[t * batch + b] = text.charAt(t - 1) - '0';
        }
      }
    }
    Source source = read(numbers);
    Recurrent.Options start = Recurrent.Options.initial(source.state);
    Tensor y = decoder.forward(digits.forward(tape.indices(before, 4, batch)), start).y();
    return Losses.crossEntropy(logits(y, source), tape.indices(next, 4, batch));
  }

  /** Learns from the numbers that 7 does not divide; the others are to test with. */
  double[] learn(int updates) {
    Random random = new Random(1);
    int[] seen = IntStream.range(0, 1000).filter(n -> n % 7 != 0).toArray();
    try (Trainer trainer = new Trainer(parameters, tape, OptimizerConfig.adam(0.005))) {
      return Examples.train(
          trainer.clipNorm(1),
          (t, update) -> loss(random.ints(32, 0, seen.length).map(i -> seen[i]).toArray()),
          updates);
    }
  }

  // learn teach end

  // learn search begin
  /** The most probable translations, the best first. */
  List<String> translate(int number, int width) {
    tape.begin(Tape.Mode.EVALUATION);
    Source source = read(new int[] {number});
    Tensor[] state = {source.state}; // [1, beginnings, H]
    BeamSearch.NextToken next =
        (parents, tokens) -> {
          int count = tokens.length;
          int hidden = state[0].dim(2);
          Tensor rows = Ops.reshape(state[0], state[0].dim(1), hidden);
          Tensor chosen = Ops.gather(rows, tape.indices(parents, count));
          Recurrent.Output output =
              decoder.forward(
                  digits.forward(tape.indices(tokens, 1, count)),
                  Recurrent.Options.initial(Ops.reshape(chosen, 1, count, hidden)));
          state[0] = output.hN();
          // All beginnings look at the one source: [beginnings, 1, H].
          return logits(Ops.reshape(output.y(), count, 1, hidden), source).toFloats();
        };
    return new BeamSearch(END, END, width, 4)
        .search(next, width).stream().map(found -> text(found.tokens())).toList();
  }

  // learn search end

  private static String text(int[] tokens) {
    return IntStream.of(tokens).mapToObj(Integer::toString).collect(Collectors.joining());
  }

  @Override
  public void close() {
    tape.close();
    parameters.close();
  }
}
