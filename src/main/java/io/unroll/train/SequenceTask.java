package io.unroll.train;

import io.unroll.data.SequenceBatch;
import io.unroll.data.SequenceDataset;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import java.util.List;

/** Batches of a {@link SequenceDataset} and the loss that a model makes on them. */
public final class SequenceTask implements Task {
  /** A model and its loss. */
  @FunctionalInterface
  public interface Loss {
    /** Builds the loss of a batch on a tape whose step has begun; one element. */
    Tensor of(Tape tape, SequenceBatch batch);
  }

  private final SequenceDataset dataset;
  private final int batch;
  private final Loss loss;
  private final Long seed;
  private List<int[]> order;
  private int orderedEpoch = -1;

  private SequenceTask(SequenceDataset dataset, int batch, Long seed, Loss loss) {
    this.dataset = dataset;
    this.batch = batch;
    this.seed = seed;
    this.loss = loss;
    this.order = dataset.inOrder(batch);
  }

  /**
   * Batches of sequences of similar length, in another order every epoch: for training.
   *
   * @param batch sequences in a batch
   * @param seed of the orders
   */
  public static SequenceTask shuffled(SequenceDataset dataset, int batch, long seed, Loss loss) {
    return new SequenceTask(dataset, batch, seed, loss);
  }

  /**
   * Batches in the order of the dataset: for validation.
   *
   * @param batch sequences in a batch
   */
  public static SequenceTask inOrder(SequenceDataset dataset, int batch, Loss loss) {
    return new SequenceTask(dataset, batch, null, loss);
  }

  @Override
  public int batchesPerEpoch() {
    return order.size();
  }

  @Override
  public Tensor loss(Tape tape, int epoch, int batchIndex) {
    if (seed != null && epoch != orderedEpoch) {
      order = dataset.shuffled(batch, seed, epoch);
      orderedEpoch = epoch;
    }
    return loss.of(tape, dataset.batch(order.get(batchIndex)));
  }
}
