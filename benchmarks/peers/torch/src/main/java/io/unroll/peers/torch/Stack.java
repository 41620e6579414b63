package io.unroll.peers.torch;

import static org.bytedeco.pytorch.global.torch.pack_padded_sequence;
import static org.bytedeco.pytorch.global.torch.pad_packed_sequence;

import io.unroll.peers.Case;
import org.bytedeco.pytorch.GRUImpl;
import org.bytedeco.pytorch.GRUOptions;
import org.bytedeco.pytorch.LSTMImpl;
import org.bytedeco.pytorch.LSTMOptions;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.PackedSequence;
import org.bytedeco.pytorch.RNNImpl;
import org.bytedeco.pytorch.RNNOptions;
import org.bytedeco.pytorch.T_TensorT_TensorTensor_T_T;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/** PyTorch's three recurrent modules behind one face. */
final class Stack implements AutoCloseable {
  private final RNNImpl rnn;
  private final GRUImpl gru;
  private final LSTMImpl lstm;
  private Tensor carriedH;
  private Tensor carriedC;

  Stack(Case layer) {
    this(layer.cell(), layer.inputSize(), layer.hiddenSize(), layer.variant());
  }

  Stack(String cell, int inputSize, int hiddenSize, Case.Variant variant) {
    RNNImpl newRnn = null;
    GRUImpl newGru = null;
    LSTMImpl newLstm = null;
    switch (cell) {
      case "rnn" -> {
        RNNOptions options = new RNNOptions(inputSize, hiddenSize);
        options.num_layers().put(variant.layers());
        options.bidirectional().put(variant.bidirectional());
        newRnn = new RNNImpl(options);
      }
      case "gru" -> {
        GRUOptions options = new GRUOptions(inputSize, hiddenSize);
        options.num_layers().put(variant.layers());
        options.bidirectional().put(variant.bidirectional());
        newGru = new GRUImpl(options);
      }
      case "lstm" -> {
        LSTMOptions options = new LSTMOptions(inputSize, hiddenSize);
        options.num_layers().put(variant.layers());
        options.bidirectional().put(variant.bidirectional());
        newLstm = new LSTMImpl(options);
      }
      default -> throw new IllegalArgumentException("unknown cell \"" + cell + "\"");
    }
    rnn = newRnn;
    gru = newGru;
    lstm = newLstm;
  }

  Module module() {
    return rnn != null ? rnn : gru != null ? gru : lstm;
  }

  TensorVector parameters() {
    return module().parameters();
  }

  /** The output from zero states. */
  Tensor forward(Tensor x) {
    if (lstm != null) {
      return lstm.forward(x).get0();
    }
    return (rnn != null ? rnn.forward(x) : gru.forward(x)).get0();
  }

  /**
   * The output over rows of different length, zeros behind their ends: packed, run and padded
   * again.
   *
   * @param lengths of the rows, int64, the longest first and as long as x
   */
  Tensor forwardPacked(Tensor x, Tensor lengths) {
    PackedSequence packed = pack_padded_sequence(x, lengths, false, true);
    PackedSequence y;
    if (lstm != null) {
      y = lstm.forward_with_packed_input(packed).get0();
    } else if (rnn != null) {
      y = rnn.forward_with_packed_input(packed).get0();
    } else {
      y = gru.forward_with_packed_input(packed).get0();
    }
    return pad_packed_sequence(y).get0();
  }

  /** The output from the states that the call before has left; no gradient flows through them. */
  Tensor forwardCarried(Tensor x) {
    if (lstm != null) {
      T_TensorT_TensorTensor_T_T all =
          carriedH == null
              ? lstm.forward(x)
              : lstm.forward(x, new T_TensorTensor_T(carriedH, carriedC));
      carry(all.get1().get0(), all.get1().get1());
      return all.get0();
    }
    T_TensorTensor_T all;
    if (carriedH == null) {
      all = rnn != null ? rnn.forward(x) : gru.forward(x);
    } else {
      all = rnn != null ? rnn.forward(x, carriedH) : gru.forward(x, carriedH);
    }
    carry(all.get1(), null);
    return all.get0();
  }

  private void carry(Tensor h, Tensor c) {
    forgetStates();
    carriedH = kept(h);
    carriedC = c == null ? null : kept(c);
  }

  /** Outlives the scope of the step. */
  private static Tensor kept(Tensor state) {
    Tensor detached = state.detach();
    detached.retainReference();
    return detached;
  }

  private void forgetStates() {
    if (carriedH != null) {
      carriedH.releaseReference();
    }
    if (carriedC != null) {
      carriedC.releaseReference();
    }
    carriedH = null;
    carriedC = null;
  }

  @Override
  public void close() {
    forgetStates();
    module().close();
  }
}
