package io.unroll.peers;

import java.util.Map;

/** One software with the settings of this process. What it does not offer throws. */
public interface Peer extends AutoCloseable {
  /** Opens it with a number of threads. */
  interface Opener {
    /**
     * @param threads worker threads, the caller's included
     */
    Peer open(int threads) throws Exception;
  }

  /** Its name in the report. */
  String software();

  /** The version that runs. */
  String version();

  /** What it says of its arithmetic and threads. */
  default String details() {
    return version();
  }

  /** Layers with random weights and inputs. */
  Timed layer(Case layer) throws Exception;

  /**
   * Weighted sums of the results of a {@link Case#agreement} with the weights, x and dY of {@link
   * Data}: {@code y}, and where it trains {@code dx}, {@code dwih}, {@code dwhh}, {@code dbih} and
   * {@code dbhh}, each of all layers and directions.
   *
   * @return null if its parameters cannot be set in PyTorch's layout
   */
  default Map<String, Double> agreement(Case layer) throws Exception {
    return null;
  }

  /** One whole training step of a character model: see {@link CharModel}. */
  default Timed charStep(CharModel model) throws Exception {
    throw new UnsupportedOperationException(software() + " has no character model here");
  }

  /** One iteration of {@link CharModel#classic}. */
  default Timed classic() throws Exception {
    throw new UnsupportedOperationException(software() + " has no classic character model here");
  }

  @Override
  void close();
}
