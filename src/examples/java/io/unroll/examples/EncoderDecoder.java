package io.unroll.examples;

import io.unroll.CellSpec;
import io.unroll.examples.data.Translations;
import io.unroll.nn.Attention;
import io.unroll.nn.BeamSearch;
import io.unroll.nn.Indices;
import io.unroll.nn.Linear;
import io.unroll.nn.Losses;
import io.unroll.nn.Ops;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;

/**
 * Reads a text in both directions and writes another: Sutskever, Vinyals and Le, "Sequence to
 * sequence learning with neural networks", NeurIPS 2014. With attention each step of the decoder
 * looks at the encoder's outputs, after its recurrence, as Luong et al. 2015 do: so while it is
 * taught all its steps run as one sequence.
 */
final class EncoderDecoder {
  private final Recurrent encoder;
  private final Linear bridge;
  private final Recurrent decoder;
  private final Attention attention;
  private final Linear combine;
  private final Linear head;

  /** What the decoder starts from [1,B,H], and what it attends to, or null. */
  private record Encoded(Tensor first, Attention.Memory memory) {}

  /**
   * @param data tells how many symbols there are
   * @param score null for a decoder without attention
   */
  EncoderDecoder(Parameters parameters, Translations data, int hidden, Attention.Score score) {
    int symbols = data.end() + 1;
    RecurrentConfig reader =
        RecurrentConfig.of(CellSpec.GRU, data.phrases().sourceSymbols().size(), hidden);
    encoder = new Recurrent(parameters, "encoder", reader.withBidirectional(true));
    bridge = new Linear(parameters, "bridge", 2 * hidden, hidden);
    RecurrentConfig writer = RecurrentConfig.of(CellSpec.GRU, symbols, hidden);
    decoder = new Recurrent(parameters, "decoder", writer);
    attention =
        score == null ? null : new Attention(parameters, "attention", score, hidden, 2 * hidden);
    combine = new Linear(parameters, "combine", score == null ? hidden : 3 * hidden, hidden);
    head = new Linear(parameters, "head", hidden, symbols);
  }

  private Encoded encode(Tape tape, Translations batch) {
    int count = batch.count();
    int[] tokens = batch.sourceTokens();
    Indices lengths = tape.indices(batch.sourceLengths(), count);
    Recurrent.Output read =
        encoder.forward(
            tape.indices(tokens, tokens.length / count, count), Recurrent.Options.lengths(lengths));
    Tensor first = Ops.tanh(bridge.forward(read.last()));
    return new Encoded(
        Ops.reshape(first, 1, count, first.dim(1)),
        attention == null ? null : attention.memory(read.y(), lengths));
  }

  /** Logits of the next token after each step of the decoder. */
  private Tensor logits(Tensor y, Attention.Memory memory) {
    Tensor seen = memory == null ? y : Ops.concat(attention.forward(y, memory).context(), y);
    return head.forward(Ops.tanh(combine.forward(seen)));
  }

  /** The mean cross-entropy of the translations; the decoder reads the right ones as it writes. */
  Tensor loss(Tape tape, Translations batch) {
    Encoded encoded = encode(tape, batch);
    int[] read = batch.decoderTokens();
    int[] shape = {read.length / batch.count(), batch.count()};
    Recurrent.Output written =
        decoder.forward(tape.indices(read, shape), Recurrent.Options.initial(encoded.first));
    return Losses.crossEntropy(
        logits(written.y(), encoded.memory), tape.indices(batch.targetTokens(), shape));
  }

  /**
   * Begins a step of the tape and reads sources; what it returns continues translations of them.
   */
  BeamSearch.NextToken writer(Tape tape, Translations batch) {
    tape.begin(Tape.Mode.EVALUATION);
    return new Writer(tape, encode(tape, batch));
  }

  /** Keeps the decoder's states on the device, a row for each beginning. */
  private final class Writer implements BeamSearch.NextToken {
    private final Tape tape;
    private final Encoded source;
    private Tensor states;

    Writer(Tape tape, Encoded source) {
      this.tape = tape;
      this.source = source;
      states = source.first;
    }

    @Override
    public float[] logits(int[] parents, int[] tokens) {
      int rows = tokens.length;
      int hidden = states.dim(2);
      Tensor before = Ops.reshape(states, states.dim(1), hidden);
      Tensor chosen = Ops.gather(before, tape.indices(parents, rows));
      Recurrent.Output step =
          decoder.forward(
              tape.indices(tokens, 1, rows),
              Recurrent.Options.initial(Ops.reshape(chosen, 1, rows, hidden)));
      states = step.hN();
      // Several beginnings of one source are queries of that row.
      int sources = source.first.dim(1);
      Tensor queries = Ops.reshape(step.y(), rows / sources, sources, hidden);
      return EncoderDecoder.this.logits(queries, source.memory).toFloats();
    }
  }
}
