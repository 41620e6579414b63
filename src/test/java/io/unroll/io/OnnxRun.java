package io.unroll.io;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/** A run of an ONNX file in ONNX Runtime, on its CPU. */
public final class OnnxRun implements AutoCloseable {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();

  /** Loads a file; ONNX Runtime checks it whole. */
  public OnnxRun(Path file) throws IOException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      session = environment.createSession(file.toString(), options);
    } catch (OrtException e) {
      throw new IOException(e);
    }
  }

  /** Gives an input. */
  public OnnxRun reals(String name, double[] values, long... shape) throws OrtException {
    FloatBuffer data = FloatBuffer.wrap(Weights.floats(values));
    inputs.put(name, OnnxTensor.createTensor(environment, data, shape));
    return this;
  }

  /** Gives an input. */
  public OnnxRun longs(String name, int[] values, long... shape) throws OrtException {
    LongBuffer data = LongBuffer.wrap(IntStream.of(values).asLongStream().toArray());
    inputs.put(name, OnnxTensor.createTensor(environment, data, shape));
    return this;
  }

  /** Gives an input. */
  public OnnxRun ints(String name, int[] values, long... shape) throws OrtException {
    inputs.put(name, OnnxTensor.createTensor(environment, IntBuffer.wrap(values), shape));
    return this;
  }

  /** All outputs by name. */
  public Map<String, double[]> outputs() throws OrtException {
    Map<String, double[]> outputs = new LinkedHashMap<>();
    try (OrtSession.Result result = session.run(inputs)) {
      for (Map.Entry<String, OnnxValue> each : result) {
        FloatBuffer floats = ((OnnxTensor) each.getValue()).getFloatBuffer();
        double[] values = new double[floats.remaining()];
        for (int i = 0; i < values.length; i++) {
          values[i] = floats.get(i);
        }
        outputs.put(each.getKey(), values);
      }
    }
    return outputs;
  }

  @Override
  public void close() throws OrtException {
    inputs.values().forEach(OnnxTensor::close);
    session.close();
  }
}
