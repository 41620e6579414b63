package io.unroll.peers.dl4j;

import io.unroll.peers.CharModel;
import io.unroll.peers.Timed;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * A character model in DL4J; a run is a whole training step. It clips the norm of each layer,
 * because it has no global one, and begins each batch with states of zero.
 */
final class Dl4jCharTraining implements Timed {
  private final CharModel model;
  private final MultiLayerNetwork network;
  private final long[][] inputs;
  private final long[][] targets;
  private int batch;

  Dl4jCharTraining(CharModel model) {
    this.model = model;
    NeuralNetConfiguration.ListBuilder layers =
        new NeuralNetConfiguration.Builder()
            .seed(1)
            .updater(new Adam(CharModel.LEARNING_RATE))
            .gradientNormalization(GradientNormalization.ClipL2PerLayer)
            .gradientNormalizationThreshold(CharModel.CLIP_NORM)
            .list();
    for (int layer = 0; layer < model.layers(); layer++) {
      int wide = layer == 0 ? model.symbols() : model.hiddenSize();
      layers.layer(
          Dl4jPeer.layer(model.cell())
              .nIn(wide)
              .nOut(model.hiddenSize())
              .activation(Activation.TANH)
              .build());
    }
    layers.layer(
        new RnnOutputLayer.Builder(LossFunction.MCXENT)
            .nIn(model.hiddenSize())
            .nOut(model.symbols())
            .activation(Activation.SOFTMAX)
            .build());
    network = new MultiLayerNetwork(layers.build());
    network.init();
    inputs = model.batches(0);
    targets = model.batches(1);
  }

  /** One-hot rows in DL4J's layout [B,V,T]. */
  private INDArray oneHot(long[] ids) {
    float[] values = new float[ids.length * model.symbols()];
    for (int t = 0; t < model.steps(); t++) {
      for (int b = 0; b < model.batch(); b++) {
        int id = (int) ids[t * model.batch() + b];
        values[(t * model.symbols() + id) * model.batch() + b] = 1;
      }
    }
    return Nd4j.create(values, new long[] {model.batch(), model.symbols(), model.steps()}, 'f');
  }

  @Override
  public void run() {
    network.fit(oneHot(inputs[batch]), oneHot(targets[batch]));
    batch = (batch + 1) % CharModel.BATCHES;
  }

  @Override
  public void check() {
    if (!Double.isFinite(network.score())) {
      throw new IllegalStateException("the loss is " + network.score());
    }
  }

  @Override
  public void close() {
    network.close();
  }
}
