package io.unroll.peers.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import ai.djl.nn.recurrent.RNN;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import io.unroll.peers.CharModel;
import io.unroll.peers.Data;
import io.unroll.peers.Timed;

/**
 * A character model in DJL; a run is a whole training step. DJL clips gradients per element only,
 * so that the global norm is made of its operations here.
 */
final class DjlCharTraining implements Timed {
  private final CharModel model;
  private final NDManager own;
  private final NDList recurrent = new NDList();
  private final NDList all = new NDList();
  private final NDArray headWeight;
  private final NDArray headBias;
  private final NDArray one;
  private final Optimizer optimizer =
      Optimizer.adam()
          .optLearningRateTracker(Tracker.fixed((float) CharModel.LEARNING_RATE))
          .build();
  private final long[][] inputs;
  private final long[][] targets;
  private NDList states = new NDList();
  private int batch;
  private boolean ran;
  private double latestLoss;

  /** Closes the manager with itself. */
  DjlCharTraining(CharModel model, NDManager own) {
    this.model = model;
    this.own = own;
    inputs = model.batches(0);
    targets = model.batches(1);
    long hidden = model.hiddenSize();
    long rows = hidden * (model.cell().equals("rnn") ? 1 : model.cell().equals("gru") ? 3 : 4);
    for (int layer = 0; layer < model.layers(); layer++) {
      long wide = layer == 0 ? model.symbols() : hidden;
      recurrent.add(parameter(new Shape(rows, wide)));
      recurrent.add(parameter(new Shape(rows, hidden)));
      recurrent.add(parameter(new Shape(rows)));
      recurrent.add(parameter(new Shape(rows)));
    }
    headWeight = parameter(new Shape(model.symbols(), hidden));
    headBias = parameter(new Shape(model.symbols()));
    one = own.create(1f);
    Shape state = new Shape(model.layers(), model.batch(), hidden);
    states.add(own.zeros(state));
    if (model.cell().equals("lstm")) {
      states.add(own.zeros(state));
    }
  }

  private NDArray parameter(Shape shape) {
    double bound = 1 / Math.sqrt(model.hiddenSize());
    NDArray made = own.create(Data.uniform((int) shape.size(), 11 + all.size(), bound), shape);
    made.setRequiresGradient(true);
    made.setName("p" + all.size());
    all.add(made);
    return made;
  }

  @Override
  public void run() {
    JniUtils.setGradMode(true);
    try (NDManager scope = own.newSubManager()) {
      if (ran) {
        all.forEach(parameter -> JniUtils.zeroGrad((PtNDArray) parameter));
      }
      Shape shape = new Shape(model.steps(), model.batch());
      NDArray x = scope.create(inputs[batch], shape).oneHot(model.symbols(), DataType.FLOAT32);
      NDList result = forward(x);
      result.attach(scope);
      NDArray y = result.get(0).reshape(model.characters(), model.hiddenSize());
      NDArray logits = Linear.linear(y, headWeight, headBias).singletonOrThrow();
      NDArray target = scope.create(targets[batch], new Shape(model.characters(), 1));
      NDArray loss = logits.logSoftmax(1).gather(target, 1).mean().neg();
      JniUtils.backward((PtNDArray) loss, (PtNDArray) one, false, false);
      carry(result);
      update(scope);
      latestLoss = loss.toFloatArray()[0];
    }
    ran = true;
    batch = (batch + 1) % CharModel.BATCHES;
  }

  private NDList forward(NDArray x) {
    NDArrayEx operations = x.getNDArrayInternal();
    int layers = model.layers();
    NDArray h = states.get(0);
    return switch (model.cell()) {
      case "rnn" ->
          operations.rnn(x, h, recurrent, true, layers, RNN.Activation.TANH, 0, true, false, false);
      case "gru" -> operations.gru(x, h, recurrent, true, layers, 0, true, false, false);
      default -> operations.lstm(x, states, recurrent, true, layers, 0, true, false, false);
    };
  }

  /** The states outlive the step; no gradient flows through them. */
  private void carry(NDList result) {
    NDList next = new NDList();
    for (int n = 1; n <= states.size(); n++) {
      next.add(result.get(n).stopGradient());
    }
    next.attach(own);
    states.close();
    states = next;
  }

  private void update(NDManager scope) {
    JniUtils.setGradMode(false);
    NDList gradients = new NDList();
    double squares = 0;
    for (NDArray parameter : all) {
      NDArray gradient = parameter.getGradient();
      gradient.attach(scope);
      squares += gradient.square().sum().toFloatArray()[0];
      gradients.add(gradient);
    }
    double norm = Math.sqrt(squares);
    for (int p = 0; p < all.size(); p++) {
      if (norm > CharModel.CLIP_NORM) {
        gradients.get(p).muli(CharModel.CLIP_NORM / norm);
      }
      optimizer.update(all.get(p).getName(), all.get(p), gradients.get(p));
    }
  }

  @Override
  public void check() {
    if (!Double.isFinite(latestLoss)) {
      throw new IllegalStateException("the loss is " + latestLoss);
    }
  }

  @Override
  public void close() {
    own.close();
  }
}
