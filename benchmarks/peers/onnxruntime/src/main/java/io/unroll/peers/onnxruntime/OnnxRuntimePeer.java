package io.unroll.peers.onnxruntime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.unroll.peers.Case;
import io.unroll.peers.Child;
import io.unroll.peers.Data;
import io.unroll.peers.Peer;
import io.unroll.peers.Timed;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;

/** ONNX Runtime's CPU provider: inference alone. Input and output lie in buffers that stay. */
final class OnnxRuntimePeer implements Peer {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final int threads;

  private OnnxRuntimePeer(int threads) {
    this.threads = threads;
  }

  /** See {@link Child}. */
  public static void main(String... args) {
    Child.run(OnnxRuntimePeer::new, args);
  }

  @Override
  public String software() {
    return "ONNX Runtime";
  }

  @Override
  public String version() {
    return environment.getVersion();
  }

  @Override
  public String details() {
    return version() + ", providers " + OrtEnvironment.getAvailableProviders();
  }

  @Override
  public Timed layer(Case layer) throws OrtException {
    if (layer.train()) {
      throw new UnsupportedOperationException("ONNX Runtime does not train here");
    }
    double bound = Data.weightBound(layer);
    byte[] model = OnnxModel.of(layer, p -> Data.uniform(layer.parameterLength(p), 11 + p, bound));
    return new Layer(layer, model, Data.uniform(layer.inputs(), 1, 1));
  }

  @Override
  public Map<String, Double> agreement(Case c) throws OrtException {
    byte[] model = OnnxModel.of(c, p -> Data.wave(c.parameterLength(p), p + 2));
    try (Layer layer = new Layer(c, model, Data.wave(c.inputs(), 1))) {
      layer.run();
      return Map.of("y", Data.sum(layer.output()));
    }
  }

  @Override
  public void close() {
    environment.close();
  }

  private final class Layer implements Timed {
    private final SessionOptions options = new SessionOptions();
    private final OrtSession session;
    private final FloatBuffer result;
    private final OnnxTensor x;
    private final OnnxTensor y;

    Layer(Case layer, byte[] model, float[] input) throws OrtException {
      options.setOptimizationLevel(SessionOptions.OptLevel.ALL_OPT);
      options.setExecutionMode(SessionOptions.ExecutionMode.SEQUENTIAL);
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      options.addConfigEntry("session.intra_op.allow_spinning", "1");
      session = environment.createSession(model, options);
      long[] inputShape = {layer.steps(), layer.batch(), layer.inputSize()};
      long[] outputShape = OnnxModel.outputShape(layer);
      result = direct(layer.outputs());
      x = OnnxTensor.createTensor(environment, direct(input.length).put(0, input), inputShape);
      y = OnnxTensor.createTensor(environment, result, outputShape);
    }

    private static FloatBuffer direct(int length) {
      return ByteBuffer.allocateDirect(4 * length).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    @Override
    public void run() {
      try {
        session.run(Map.of("x", x), Map.of("y", y)).close();
      } catch (OrtException e) {
        throw new IllegalStateException(e);
      }
    }

    float[] output() {
      float[] values = new float[result.capacity()];
      result.get(0, values);
      return values;
    }

    @Override
    public void check() {
      Data.requireFinite("y", output());
    }

    @Override
    public void close() {
      try {
        x.close();
        y.close();
        session.close();
        options.close();
      } catch (OrtException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
