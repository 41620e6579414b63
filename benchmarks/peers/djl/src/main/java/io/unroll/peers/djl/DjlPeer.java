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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Deep Java Library with its PyTorch engine: the operations beneath its recurrent blocks. */
final class DjlPeer implements Peer {
  private static final List<String> GRADIENTS = List.of("dwih", "dwhh", "dbih", "dbhh");

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
    for (int p = 0; p < layer.sizes.length; p++) {
      layer.setParameter(p, Data.uniform(layer.sizes[p], 11 + p, Data.weightBound(c)));
    }
    return layer;
  }

  @Override
  public Map<String, Double> agreement(String cell) {
    Case c = Case.agreement(cell, true);
    Map<String, Double> sums = new LinkedHashMap<>();
    try (Layer layer = new Layer(c, Data.wave(c.inputs(), 1), Data.wave(c.outputs(), 6))) {
      for (int p = 0; p < layer.sizes.length; p++) {
        layer.setParameter(p, Data.wave(layer.sizes[p], p + 2));
      }
      layer.prepare();
      layer.run();
      sums.put("y", Data.sum(layer.forwardOnce()));
      sums.put("dx", Data.sum(layer.x.getGradient().toFloatArray()));
      for (int p = 0; p < layer.sizes.length; p++) {
        sums.put(GRADIENTS.get(p), Data.sum(layer.parameter(p).getGradient().toFloatArray()));
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
    private final int[] sizes;
    private final NDManager own = manager.newSubManager();
    private final NDArray x;
    private final NDArray dY;
    private final NDArray zeros;
    private final NDList parameters = new NDList();
    private boolean ran;

    Layer(Case layer, float[] x, float[] dY) {
      this.layer = layer;
      int rows = layer.gates() * layer.hiddenSize();
      this.sizes = new int[] {rows * layer.inputSize(), rows * layer.hiddenSize(), rows, rows};
      this.x = own.create(x, new Shape(layer.steps(), layer.batch(), layer.inputSize()));
      this.dY = own.create(dY, new Shape(layer.steps(), layer.batch(), layer.hiddenSize()));
      this.zeros = own.zeros(new Shape(1, layer.batch(), layer.hiddenSize()));
      this.x.setRequiresGradient(layer.train());
    }

    private void setParameter(int p, float[] values) {
      int rows = layer.gates() * layer.hiddenSize();
      Shape shape = p < 2 ? new Shape(rows, values.length / rows) : new Shape(rows);
      NDArray parameter = own.create(values, shape);
      parameter.setRequiresGradient(layer.train());
      parameters.add(p, parameter);
    }

    private NDArray parameter(int p) {
      return parameters.get(p);
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
      NDList result =
          switch (layer.cell()) {
            case "rnn" ->
                operations.rnn(
                    x, zeros, parameters, true, 1, RNN.Activation.TANH, 0, train, false, false);
            case "gru" -> operations.gru(x, zeros, parameters, true, 1, 0, train, false, false);
            default -> {
              NDList states = new NDList(zeros, zeros);
              yield operations.lstm(x, states, parameters, true, 1, 0, train, false, false);
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
        for (int p = 0; p < sizes.length; p++) {
          float[] gradient = parameter(p).getGradient().toFloatArray();
          Data.requireFinite(GRADIENTS.get(p), gradient);
        }
      }
    }

    @Override
    public void close() {
      own.close();
    }
  }
}
