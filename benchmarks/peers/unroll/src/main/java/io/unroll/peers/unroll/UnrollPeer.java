package io.unroll.peers.unroll;

import io.unroll.Backend;
import io.unroll.BackendOptions;
import io.unroll.CellSpec;
import io.unroll.nn.Parameters;
import io.unroll.nn.Recurrent;
import io.unroll.nn.RecurrentConfig;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import io.unroll.peers.Case;
import io.unroll.peers.CharModel;
import io.unroll.peers.Child;
import io.unroll.peers.Data;
import io.unroll.peers.Peer;
import io.unroll.peers.Timed;
import io.unroll.train.OptimizerConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Unroll's CPU backend, through what the library offers to its users. */
final class UnrollPeer implements Peer {
  private static final List<String> PARAMETERS =
      List.of("weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l");
  private static final long SEED = 1;

  private final Backend backend;

  private UnrollPeer(int threads) {
    backend = Backend.open("cpu", new BackendOptions(threads, null));
  }

  /** See {@link Child}. */
  public static void main(String... args) {
    Child.run(UnrollPeer::new, args);
  }

  @Override
  public String software() {
    return "Unroll";
  }

  @Override
  public String version() {
    String version = Backend.class.getPackage().getImplementationVersion();
    return version == null ? "unknown" : version;
  }

  @Override
  public String details() {
    return backend.description();
  }

  static CellSpec cell(String name) {
    return CellSpec.of(name.equals("rnn") ? "tanh" : name);
  }

  @Override
  public Timed layer(Case layer) {
    return new Layer(
        layer, Data.uniform(layer.inputs(), 1, 1), Data.uniform(layer.outputs(), 2, 1));
  }

  @Override
  public Map<String, Double> agreement(Case c) {
    Map<String, Double> sums = new LinkedHashMap<>();
    try (Layer layer = new Layer(c, Data.wave(c.inputs(), 1), Data.wave(c.outputs(), 6))) {
      int count = c.parameterShapes().size();
      for (int p = 0; p < count; p++) {
        layer.parameters.set(parameter(c, p), Data.wave(c.parameterLength(p), p + 2));
      }
      layer.prepare();
      layer.run();
      sums.put("y", Data.sum(layer.output.toFloats()));
      sums.put("dx", Data.sum(layer.input.gradientToFloats()));
      for (int p = 0; p < count; p++) {
        Data.addGradient(sums, p, layer.gradient(parameter(c, p)));
      }
    }
    return sums;
  }

  /** The name of the parameter that has the index p in PyTorch's order. */
  private static String parameter(Case c, int p) {
    int n = p / PARAMETERS.size();
    String way = n % c.directions() == 1 ? "_reverse" : "";
    return PARAMETERS.get(p % PARAMETERS.size()) + n / c.directions() + way;
  }

  @Override
  public Timed charStep(CharModel model) {
    return new CharTraining(
        backend,
        model,
        OptimizerConfig.adam(CharModel.LEARNING_RATE),
        trainer -> trainer.clipNorm(CharModel.CLIP_NORM));
  }

  @Override
  public Timed classic() {
    OptimizerConfig adagrad =
        OptimizerConfig.of(OptimizerConfig.Method.ADAGRAD, CharModel.CLASSIC_LEARNING_RATE)
            .withEpsilon(1e-8);
    return new CharTraining(
        backend,
        CharModel.classic(),
        adagrad,
        trainer -> trainer.clipValue(CharModel.CLASSIC_CLIP));
  }

  @Override
  public void close() {
    backend.close();
  }

  private final class Layer implements Timed {
    private final Case layer;
    private final Parameters parameters = new Parameters(backend, SEED);
    private final Tape tape = new Tape(backend);
    private final Recurrent network;
    private final float[] x;
    private final float[] dY;
    private Tensor input;
    private Recurrent.Options options;
    private Tensor start;
    private Tensor output;

    Layer(Case layer, float[] x, float[] dY) {
      this.layer = layer;
      RecurrentConfig config =
          RecurrentConfig.of(cell(layer.cell()), layer.inputSize(), layer.hiddenSize());
      this.network =
          new Recurrent(
              parameters,
              "",
              config
                  .withLayers(layer.variant().layers())
                  .withBidirectional(layer.variant().bidirectional()));
      this.x = x;
      this.dY = dY;
    }

    @Override
    public void prepare() {
      tape.begin(layer.train() ? Tape.Mode.TRAINING : Tape.Mode.EVALUATION);
      input = tape.input(x, layer.steps(), layer.batch(), layer.inputSize());
      options =
          Recurrent.Options.lengths(
              layer.variant().ragged() ? tape.indices(layer.lengths(), layer.batch()) : null);
      if (layer.train()) {
        input.withGradient();
        int width = layer.directions() * layer.hiddenSize();
        start = tape.input(dY, layer.steps(), layer.batch(), width);
        parameters.zeroGradients();
      }
      backend.synchronize();
    }

    @Override
    public void run() {
      output = network.forward(input, options).y();
      if (layer.train()) {
        tape.backward(List.of(output), List.of(start));
      }
      backend.synchronize();
    }

    private float[] gradient(String parameter) {
      return parameters.get(parameter).gradientToFloats();
    }

    @Override
    public void check() {
      Data.requireFinite("y", output.toFloats());
      if (layer.train()) {
        Data.requireFinite("dx", input.gradientToFloats());
        for (String name : parameters.names()) {
          Data.requireFinite("the gradient of " + name, gradient(name));
        }
      }
    }

    @Override
    public void close() {
      tape.close();
      parameters.close();
    }
  }
}
