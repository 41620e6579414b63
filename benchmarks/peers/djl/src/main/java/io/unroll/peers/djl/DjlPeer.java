package io.unroll.peers.djl;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.recurrent.RNN;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.unroll.peers.Case;
import io.unroll.peers.CharModel;
import io.unroll.peers.Child;
import io.unroll.peers.Data;
import io.unroll.peers.Peer;
import io.unroll.peers.Timed;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Deep Java Library with its PyTorch engine: the operations beneath its recurrent blocks. */
final class DjlPeer implements Peer {
  private final NDManager manager = NDManager.newBaseManager();

  private DjlPeer(int threads) {
    JniUtils.setNumThreads(threads);
  }

  /** See {@link Child}. */
  public static void main(String... args) {
    Child.run(DjlPeer::new, args);
  }

  @Override
  public String software() {
    return "DJL";
  }

  @Override
  public String version() {
    return Engine.getDjlVersion() + " (PyTorch " + Engine.getInstance().getVersion() + ")";
  }

  @Override
  public String details() {
    return Engine.getInstance() + ", threads " + JniUtils.getNumThreads();
  }

  @Override
  public Timed layer(Case c) {
    Layer layer = new Layer(c, Data.uniform(c.inputs(), 1, 1), Data.uniform(c.outputs(), 2, 1));
    for (int p = 0; p < c.parameterShapes().size(); p++) {
      layer.addParameter(Data.uniform(c.parameterLength(p), 11 + p, Data.weightBound(c)));
    }
    return layer;
  }

  @Override
  public Map<String, Double> agreement(Case c) {
    Map<String, Double> sums = new LinkedHashMap<>();
    try (Layer layer = new Layer(c, Data.wave(c.inputs(), 1), Data.wave(c.outputs(), 6))) {
      int count = c.parameterShapes().size();
      for (int p = 0; p < count; p++) {
        layer.addParameter(Data.wave(c.parameterLength(p), p + 2));
      }
      layer.prepare();
      layer.run();
      sums.put("y", Data.sum(layer.forwardOnce()));
      sums.put("dx", Data.sum(layer.x.getGradient().toFloatArray()));
      for (int p = 0; p < count; p++) {
        Data.addGradient(sums, p, layer.parameters.get(p).getGradient().toFloatArray());
      }
    }
    return sums;
  }

  @Override
  public Timed charStep(CharModel model) {
    return new DjlCharTraining(model, manager.newSubManager());
  }

  @Override
  public void close() {
    manager.close();
  }

  private final class Layer implements Timed {
    private final Case layer;
    private final NDManager own = manager.newSubManager();
    private final NDArray x;
    private final NDArray dY;
    private final NDArray zeros;
    private final NDList parameters = new NDList();
    private boolean ran;

    Layer(Case layer, float[] x, float[] dY) {
      if (layer.variant().ragged()) {
        throw new UnsupportedOperationException("DJL does not offer rows of different length");
      }
      this.layer = layer;
      int directions = layer.directions();
      this.x = own.create(x, new Shape(layer.steps(), layer.batch(), layer.inputSize()));
      this.dY =
          own.create(dY, new Shape(layer.steps(), layer.batch(), directions * layer.hiddenSize()));
      this.zeros =
          own.zeros(
              new Shape(layer.variant().layers() * directions, layer.batch(), layer.hiddenSize()));
      this.x.setRequiresGradient(layer.train());
    }

    /** The next one in PyTorch's order. */
    private void addParameter(float[] values) {
      int[] shape = layer.parameterShapes().get(parameters.size());
      NDArray parameter =
          own.create(values, new Shape(Arrays.stream(shape).asLongStream().toArray()));
      parameter.setRequiresGradient(layer.train());
      parameters.add(parameter);
    }

    /** Sets the gradients to zero, as DJL's gradient collector does. */
    @Override
    public void prepare() {
      JniUtils.setGradMode(layer.train());
      if (layer.train() && ran) {
        JniUtils.zeroGrad((PtNDArray) x);
        for (NDArray parameter : parameters) {
          JniUtils.zeroGrad((PtNDArray) parameter);
        }
      }
    }

    @Override
    public void run() {
      try (NDManager scope = own.newSubManager()) {
        NDArray y = forward(scope);
        if (layer.train()) {
          JniUtils.backward((PtNDArray) y, (PtNDArray) dY, false, false);
        }
      }
      ran = true;
    }

    private NDArray forward(NDManager scope) {
      NDArrayEx operations = x.getNDArrayInternal();
      boolean train = layer.train();
      int layers = layer.variant().layers();
      boolean both = layer.variant().bidirectional();
      RNN.Activation tanh = RNN.Activation.TANH;
      NDList result =
          switch (layer.cell()) {
            case "rnn" ->
                operations.rnn(x, zeros, parameters, true, layers, tanh, 0, train, both, false);
            case "gru" -> operations.gru(x, zeros, parameters, true, layers, 0, train, both, false);
            default -> {
              NDList states = new NDList(zeros, zeros);
              yield operations.lstm(x, states, parameters, true, layers, 0, train, both, false);
            }
          };
      result.attach(scope);
      return result.get(0);
    }

    private float[] forwardOnce() {
      try (NDManager scope = own.newSubManager()) {
        return forward(scope).toFloatArray();
      }
    }

    @Override
    public void check() {
      Data.requireFinite("y", forwardOnce());
      if (layer.train()) {
        Data.requireFinite("dx", x.getGradient().toFloatArray());
        for (int p = 0; p < parameters.size(); p++) {
          float[] gradient = parameters.get(p).getGradient().toFloatArray();
          Data.requireFinite("gradient " + p, gradient);
        }
      }
    }

    @Override
    public void close() {
      own.close();
    }
  }
}
