package io.unroll.device.cuda;

import java.util.ArrayList;
import java.util.List;

/**
 * The graphs of a stream. A shape that comes for the second time becomes one, and from then on is
 * launched as one. So many are kept, and the one that was not used longest makes room for another.
 */
final class CommandGraphs implements AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger(CommandGraphs.class.getName());

  /** Graphs that are kept: training, measuring and drawing take a few each. */
  static final int MOST = 16;

  /** Below it a graph saves nothing. */
  static final int FEWEST_COMMANDS = 8;

  /** Hashes that are remembered of shapes that were not graphs. */
  private static final int REMEMBERED = 64;

  /**
   * What was done.
   *
   * @param built graphs that were made
   * @param replayed launches of a graph
   * @param changed nodes that were set before a launch
   */
  record Counts(long built, long replayed, long changed) {}

  private final CommandStream stream;
  private final GraphNodes calls;
  private final List<CommandGraph> graphs = new ArrayList<>(MOST);
  private final long[] seen = new long[REMEMBERED];
  private int seenNext;
  private boolean isFull;
  private long built;
  private long replayed;
  private long changed;

  /**
   * @param stream that is told of failures
   * @param calls on that stream
   */
  CommandGraphs(CommandStream stream, GraphNodes calls) {
    this.stream = stream;
    this.calls = calls;
  }

  /**
   * Queues a list as a graph if there is one for it, or it is due to become one.
   *
   * @return the graph, or null if the list is still to be queued
   * @throws io.unroll.DeviceException if the driver refuses; the backend can then only be closed
   */
  CommandGraph run(CommandList list) {
    if (list.count() < FEWEST_COMMANDS) {
      return null;
    }
    long hash = list.hash();
    CommandGraph graph = find(list, hash);
    if (graph != null) {
      changed += graph.update(list, calls, stream);
    } else if (!isFull && isSeenAgain(hash)) {
      graph = build(list, hash);
    }
    if (graph != null) {
      int code = graph.launch(calls, ++replayed);
      if (code != ReturnCode.SUCCESS) {
        throw stream.fail(code, "cuGraphLaunch of a graph of " + graph.describe());
      }
    }
    return graph;
  }

  private CommandGraph find(CommandList list, long hash) {
    for (int i = 0; i < graphs.size(); i++) {
      if (graphs.get(i).isOf(list, hash)) {
        return graphs.get(i);
      }
    }
    return null;
  }

  /** Whether a hash is remembered, which it is no more then; else it is remembered. */
  private boolean isSeenAgain(long hash) {
    for (int i = 0; i < REMEMBERED; i++) {
      if (seen[i] == hash) {
        seen[i] = 0;
        return true;
      }
    }
    seen[seenNext] = hash;
    seenNext = (seenNext + 1) % REMEMBERED;
    return false;
  }

  private CommandGraph build(CommandList list, long hash) {
    if (graphs.size() == MOST) {
      CommandGraph oldest = graphs.get(0);
      for (CommandGraph graph : graphs) {
        oldest = graph.used() < oldest.used() ? graph : oldest;
      }
      graphs.remove(oldest);
      oldest.close();
    }
    CommandGraph graph = new CommandGraph(list, hash);
    int code = ReturnCode.UNKNOWN;
    try {
      code = graph.build(list, calls);
    } finally {
      if (code != ReturnCode.SUCCESS) {
        graph.close();
      }
    }
    if (code == ReturnCode.OUT_OF_MEMORY) {
      isFull = true;
      LOGGER.log(
          System.Logger.Level.WARNING,
          "no room for a graph of {0}; no further ones are built",
          graph.describe());
      return null;
    }
    if (code != ReturnCode.SUCCESS) {
      throw stream.fail(code, "the building of a graph of " + graph.describe());
    }
    built++;
    graphs.add(graph);
    LOGGER.log(System.Logger.Level.DEBUG, "a graph of {0}", graph.describe());
    return graph;
  }

  /** Whether there are none now. */
  boolean isEmpty() {
    return graphs.isEmpty();
  }

  /** What was done so far. */
  Counts counts() {
    return new Counts(built, replayed, changed);
  }

  /** Gives all graphs back, and with them what they hold of the device's memory. */
  @Override
  public void close() {
    graphs.forEach(CommandGraph::close);
    graphs.clear();
  }
}
