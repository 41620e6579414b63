package io.unroll.peers.torch;

import static org.bytedeco.pytorch.global.torch.clip_grad_norm_;
import static org.bytedeco.pytorch.global.torch.cross_entropy;
import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.eye;
import static org.bytedeco.pytorch.global.torch.one_hot;

import io.unroll.peers.CharModel;
import io.unroll.peers.Timed;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AbstractTensor;
import org.bytedeco.pytorch.Adam;
import org.bytedeco.pytorch.AdamOptions;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** The large character model in PyTorch; a run is a whole training step. */
final class TorchCharTraining implements Timed {
  private static final int CHARACTERS = CharModel.STEPS * CharModel.BATCH;

  private final boolean oneHot;
  private final Stack stack;
  private final LinearImpl head;
  private final TensorVector parameters;
  private final Adam optimizer;
  private final Tensor identity;
  private final long[][] inputs = new long[CharModel.BATCHES][CHARACTERS];
  private final long[][] targets = new long[CharModel.BATCHES][CHARACTERS];
  private int batch;
  private double latestLoss;

  /**
   * @param variant {@code onehot}: rows of zeros and a one are made; {@code table}: they are taken
   *     from a unit matrix
   */
  TorchCharTraining(String cell, String variant) {
    oneHot = variant.equals("onehot");
    if (!oneHot && !variant.equals("table")) {
      throw new IllegalArgumentException("a variant is onehot or table, but is " + variant);
    }
    stack = new Stack(cell, CharModel.SYMBOLS, CharModel.HIDDEN_SIZE, CharModel.LAYERS);
    head = new LinearImpl(CharModel.HIDDEN_SIZE, CharModel.SYMBOLS);
    parameters = stack.parameters();
    TensorVector ofHead = head.parameters();
    for (long p = 0; p < ofHead.size(); p++) {
      parameters.push_back(ofHead.get(p));
    }
    optimizer = new Adam(parameters, new AdamOptions(CharModel.LEARNING_RATE));
    identity = eye(CharModel.SYMBOLS);
    cutText();
  }

  private void cutText() {
    int[] text = CharModel.text(CharModel.BATCHES * CHARACTERS + 1, CharModel.SYMBOLS);
    int stream = CharModel.BATCHES * CharModel.STEPS;
    for (int n = 0; n < CharModel.BATCHES; n++) {
      for (int t = 0; t < CharModel.STEPS; t++) {
        for (int b = 0; b < CharModel.BATCH; b++) {
          int at = b * stream + n * CharModel.STEPS + t;
          inputs[n][t * CharModel.BATCH + b] = text[at];
          targets[n][t * CharModel.BATCH + b] = text[at + 1];
        }
      }
    }
  }

  @Override
  public void run() {
    try (PointerScope scope = new PointerScope()) {
      optimizer.zero_grad(true);
      Tensor ids = AbstractTensor.create(inputs[batch], CharModel.STEPS, CharModel.BATCH);
      Tensor x =
          oneHot ? one_hot(ids, CharModel.SYMBOLS).to(ScalarType.Float) : embedding(identity, ids);
      Tensor y = stack.forwardCarried(x);
      Tensor logits = head.forward(y.view(CHARACTERS, CharModel.HIDDEN_SIZE));
      Tensor loss = cross_entropy(logits, AbstractTensor.create(targets[batch], CHARACTERS));
      loss.backward();
      clip_grad_norm_(parameters, CharModel.CLIP_NORM);
      optimizer.step();
      latestLoss = loss.item_float();
    }
    batch = (batch + 1) % CharModel.BATCHES;
  }

  @Override
  public void check() {
    if (!Double.isFinite(latestLoss)) {
      throw new IllegalStateException("the loss is " + latestLoss);
    }
  }

  @Override
  public void close() {
    optimizer.close();
    stack.close();
    head.close();
    parameters.close();
    identity.close();
  }
}
