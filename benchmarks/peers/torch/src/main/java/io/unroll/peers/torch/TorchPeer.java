package io.unroll.peers.torch;

import static org.bytedeco.pytorch.global.torch.get_parallel_info;
import static org.bytedeco.pytorch.global.torch.set_num_threads;
import static org.bytedeco.pytorch.global.torch.show_config;

import io.unroll.peers.Case;
import io.unroll.peers.CharModel;
import io.unroll.peers.Child;
import io.unroll.peers.Data;
import io.unroll.peers.Peer;
import io.unroll.peers.Timed;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AbstractTensor;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.TensorVector;

/** PyTorch on the CPU, through Bytedeco's presets: the modules nn::RNN, nn::GRU and nn::LSTM. */
final class TorchPeer implements Peer {
  private static final Pattern VERSION = Pattern.compile("TORCH_VERSION=([^,]+)");

  private TorchPeer(int threads) {
    set_num_threads(threads);
  }

  /** See {@link Child}. */
  public static void main(String... args) {
    Child.run(TorchPeer::new, args);
  }

  @Override
  public String software() {
    return "PyTorch";
  }

  @Override
  public String version() {
    Matcher version = VERSION.matcher(show_config().getString());
    return version.find() ? version.group(1) : "unknown";
  }

  @Override
  public String details() {
    return show_config().getString() + get_parallel_info().getString();
  }

  @Override
  public Timed layer(Case layer) {
    return new Layer(
        layer, Data.uniform(layer.inputs(), 1, 1), Data.uniform(layer.outputs(), 2, 1));
  }

  @Override
  public Map<String, Double> agreement(Case c) {
    Map<String, Double> sums = new LinkedHashMap<>();
    try (PointerScope scope = new PointerScope();
        Layer layer = new Layer(c, Data.wave(c.inputs(), 1), Data.wave(c.outputs(), 6))) {
      int count = c.parameterShapes().size();
      try (NoGradGuard noGrad = new NoGradGuard()) {
        for (int p = 0; p < count; p++) {
          long[] shape = Arrays.stream(c.parameterShapes().get(p)).asLongStream().toArray();
          float[] wave = Data.wave(c.parameterLength(p), p + 2);
          layer.stack.parameters().get(p).copy_(AbstractTensor.create(wave, shape));
        }
      }
      layer.prepare();
      Tensor y = layer.trainOnce();
      sums.put("y", Data.sum(floats(y.detach())));
      sums.put("dx", Data.sum(floats(layer.x.grad())));
      for (int p = 0; p < count; p++) {
        Data.addGradient(sums, p, floats(layer.stack.parameters().get(p).grad()));
      }
    }
    return sums;
  }

  @Override
  public Timed charStep(CharModel model) {
    return new TorchCharTraining(model);
  }

  @Override
  public void close() {}

  /** The elements of a dense tensor that needs no gradient. */
  static float[] floats(Tensor tensor) {
    float[] values = new float[(int) tensor.numel()];
    tensor.contiguous().data_ptr_float().get(values);
    return values;
  }

  private static final class Layer implements Timed {
    private final Case layer;
    private final Stack stack;
    private final Tensor x;
    private final Tensor dY;
    private Tensor lengths; // null if all rows are full

    Layer(Case layer, float[] x, float[] dY) {
      this.layer = layer;
      this.stack = new Stack(layer);
      this.x = AbstractTensor.create(x, layer.steps(), layer.batch(), layer.inputSize());
      this.dY =
          AbstractTensor.create(
              dY, layer.steps(), layer.batch(), layer.directions() * layer.hiddenSize());
      if (layer.variant().ragged()) {
        lengths = AbstractTensor.create(Arrays.stream(layer.lengths()).asLongStream().toArray());
      }
      if (layer.train()) {
        this.x.set_requires_grad(true);
      }
    }

    /** Drops the gradients, so that the next ones are moved into place and not added. */
    @Override
    public void prepare() {
      try (PointerScope scope = new PointerScope()) {
        stack.module().zero_grad(true);
        x.mutable_grad().reset();
      }
    }

    @Override
    public void run() {
      try (PointerScope scope = new PointerScope()) {
        if (layer.train()) {
          trainOnce();
        } else {
          inferOnce();
        }
      }
    }

    private Tensor forward() {
      return lengths == null ? stack.forward(x) : stack.forwardPacked(x, lengths);
    }

    private Tensor inferOnce() {
      try (NoGradGuard noGrad = new NoGradGuard()) {
        return forward();
      }
    }

    private Tensor trainOnce() {
      Tensor y = forward();
      y.backward(dY, new BoolOptional(), false, new TensorArrayRefOptional());
      return y;
    }

    @Override
    public void check() {
      try (PointerScope scope = new PointerScope()) {
        Data.requireFinite("y", floats(inferOnce()));
        if (layer.train()) {
          Data.requireFinite("dx", floats(x.grad()));
          TensorVector parameters = stack.parameters();
          for (long p = 0; p < parameters.size(); p++) {
            Data.requireFinite("gradient " + p, floats(parameters.get(p).grad()));
          }
        }
      }
    }

    @Override
    public void close() {
      stack.close();
      x.close();
      dY.close();
      if (lengths != null) {
        lengths.close();
      }
    }
  }
}
