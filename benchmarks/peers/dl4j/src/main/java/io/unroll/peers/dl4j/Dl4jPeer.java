package io.unroll.peers.dl4j;

import io.unroll.peers.Case;
import io.unroll.peers.CharModel;
import io.unroll.peers.Child;
import io.unroll.peers.Data;
import io.unroll.peers.Peer;
import io.unroll.peers.Timed;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Deeplearning4j: a network of SimpleRnn or LSTM layers, trained from an error that comes from
 * outside. It has no GRU. Its arrays are [B,I,T], the layout that it prefers.
 */
final class Dl4jPeer implements Peer {
  private static final Pattern VERSION = Pattern.compile("deeplearning4j-nn-(.+)\\.jar$");

  private Dl4jPeer(int threads) {
    Nd4j.getEnvironment().setMaxMasterThreads(threads);
    Nd4j.getEnvironment().setMaxThreads(threads);
  }

  /** See {@link Child}. */
  public static void main(String... args) {
    Child.run(Dl4jPeer::new, args);
  }

  @Override
  public String software() {
    return "DL4J";
  }

  /** Its classes do not know; the name of their jar does. */
  @Override
  public String version() {
    String jar =
        MultiLayerNetwork.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    Matcher version = VERSION.matcher(jar);
    return version.find() ? version.group(1) : "unknown";
  }

  @Override
  public String details() {
    return Nd4j.getExecutioner().getEnvironmentInformation().toString();
  }

  @Override
  public Timed layer(Case layer) {
    return new Layers(layer);
  }

  @Override
  public Timed charStep(CharModel model) {
    return new Dl4jCharTraining(model);
  }

  static BaseRecurrentLayer.Builder<?> layer(String cell) {
    return switch (cell) {
      case "rnn" -> new SimpleRnn.Builder();
      case "lstm" -> new LSTM.Builder();
      default -> throw new UnsupportedOperationException("DL4J has no " + cell);
    };
  }

  @Override
  public void close() {}

  private static final class Layers implements Timed {
    private final MultiLayerNetwork network;
    private final INDArray x;
    private final INDArray dY;
    private final boolean train;
    private INDArray y;
    private Pair<Gradient, INDArray> result;

    Layers(Case layer) {
      if (layer.variant().ragged()) {
        throw new UnsupportedOperationException(
            "DL4J does not offer gradients of ragged rows here");
      }
      train = layer.train();
      Layer[] layers = new Layer[layer.variant().layers()];
      for (int n = 0; n < layers.length; n++) {
        BaseRecurrentLayer.Builder<?> builder = Dl4jPeer.layer(layer.cell());
        builder.nIn(layer.inputSize(n)).nOut(layer.hiddenSize()).activation(Activation.TANH);
        layers[n] = builder.build();
        if (layer.variant().bidirectional()) {
          layers[n] = new Bidirectional(Bidirectional.Mode.CONCAT, layers[n]);
        }
      }
      MultiLayerConfiguration configuration =
          new NeuralNetConfiguration.Builder().seed(1).list(layers).build();
      network = new MultiLayerNetwork(configuration);
      network.init();
      x = array(Data.uniform(layer.inputs(), 1, 1), layer, layer.inputSize());
      int width = layer.directions() * layer.hiddenSize();
      dY = array(Data.uniform(layer.outputs(), 2, 1), layer, width);
    }

    private static INDArray array(float[] values, Case layer, int width) {
      return Nd4j.create(values, new long[] {layer.batch(), width, layer.steps()}, 'f');
    }

    @Override
    public void run() {
      if (!train) {
        List<INDArray> all = network.feedForward(x, false);
        y = all.get(all.size() - 1);
        return;
      }
      network.setInput(x);
      network.feedForward(true, false);
      result = network.backpropGradient(dY, LayerWorkspaceMgr.noWorkspaces());
    }

    @Override
    public void check() {
      if (!train) {
        Data.requireFinite("y", y.dup().data().asFloat());
        return;
      }
      Data.requireFinite("dx", result.getSecond().dup().data().asFloat());
      result
          .getFirst()
          .gradientForVariable()
          .forEach((name, gradient) -> Data.requireFinite(name, gradient.dup().data().asFloat()));
    }

    @Override
    public void close() {
      network.close();
    }
  }
}
