package io.unroll.peers.torch;

import static org.bytedeco.pytorch.global.torch.clip_grad_norm_;
import static org.bytedeco.pytorch.global.torch.cross_entropy;
import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.eye;

import io.unroll.peers.Case;
import io.unroll.peers.CharModel;
import io.unroll.peers.Timed;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AbstractTensor;
import org.bytedeco.pytorch.Adam;
import org.bytedeco.pytorch.AdamOptions;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/** A character model in PyTorch; a run is a whole training step. */
final class TorchCharTraining implements Timed {
  private final CharModel model;
  private final Stack stack;
  private final LinearImpl head;
  private final TensorVector parameters;
  private final Adam optimizer;
  private final Tensor identity;
  private final long[][] inputs;
  private final long[][] targets;
  private int batch;
  private double latestLoss;

  TorchCharTraining(CharModel model) {
    this.model = model;
    stack =
        new Stack(
            model.cell(),
            model.symbols(),
            model.hiddenSize(),
            new Case.Variant(model.layers(), false, false));
    head = new LinearImpl(model.hiddenSize(), model.symbols());
    parameters = stack.parameters();
    TensorVector ofHead = head.parameters();
    for (long p = 0; p < ofHead.size(); p++) {
      parameters.push_back(ofHead.get(p));
    }
    optimizer = new Adam(parameters, new AdamOptions(CharModel.LEARNING_RATE));
    identity = eye(model.symbols());
    inputs = model.batches(0);
    targets = model.batches(1);
  }

  @Override
  public void run() {
    try (PointerScope scope = new PointerScope()) {
      optimizer.zero_grad(true);
      // Rows of a unit matrix: as fast as one_hot and its conversion to float32, or faster.
      Tensor x =
          embedding(identity, AbstractTensor.create(inputs[batch], model.steps(), model.batch()));
      Tensor y = stack.forwardCarried(x);
      Tensor logits = head.forward(y.view(model.characters(), model.hiddenSize()));
      Tensor target = AbstractTensor.create(targets[batch], model.characters());
      Tensor loss = cross_entropy(logits, target);
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
