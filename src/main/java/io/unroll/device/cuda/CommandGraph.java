package io.unroll.device.cuda;

import java.util.Arrays;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUgraphNode;
import jcuda.driver.JCudaDriver;

/**
 * The commands of one shape as a graph that the driver keeps: a chain of nodes, one for each
 * command, so that they run in the order of the list. It knows which values its nodes have, so that
 * a launch sets only those that differ.
 */
final class CommandGraph implements AutoCloseable {
  private final long hash;
  private final long[] shape;
  private final long[] values;
  private final CUgraphNode[] nodes;
  private final String described;
  private CUgraph graph;
  private CUgraphExec exec;

  /** When it was launched last, for who must choose. */
  private long used;

  /** Remembers a list; {@link #build} makes the graph of it. */
  CommandGraph(CommandList list, long hash) {
    this.hash = hash;
    shape = Arrays.copyOf(list.shape(), list.shapeEnd());
    values = Arrays.copyOf(list.values(), list.valuesFrom(list.count()));
    nodes = new CUgraphNode[list.count()];
    described = list.describe();
  }

  /** What it holds, for messages. */
  String describe() {
    return described;
  }

  long used() {
    return used;
  }

  /** Whether it is the graph of a list; equal hashes alone mean nothing. */
  boolean isOf(CommandList list, long hashOfList) {
    return hash == hashOfList
        && Arrays.equals(shape, 0, shape.length, list.shape(), 0, list.shapeEnd());
  }

  /**
   * Makes the graph of the list that it was made with.
   *
   * @return the driver's code; after another than that of success it can only be closed
   */
  int build(CommandList list, GraphNodes calls) {
    CUgraph made = new CUgraph();
    int code = JCudaDriver.cuGraphCreate(made, 0);
    if (code == ReturnCode.SUCCESS) {
      graph = made;
    }
    for (int i = 0; i < nodes.length && code == ReturnCode.SUCCESS; i++) {
      nodes[i] = new CUgraphNode();
      code = calls.add(nodes[i], graph, i == 0 ? null : nodes[i - 1], list, i);
    }
    if (code == ReturnCode.SUCCESS) {
      CUgraphExec instance = new CUgraphExec();
      code = JCudaDriver.cuGraphInstantiate(instance, graph, 0);
      exec = code == ReturnCode.SUCCESS ? instance : null;
    }
    return code;
  }

  /**
   * Sets the nodes whose values a list has otherwise. Launches before are not touched by it.
   *
   * @param stream that is told of failures
   * @return how many there were
   */
  int update(CommandList list, GraphNodes calls, CommandStream stream) {
    int changed = 0;
    int command = 0;
    long[] wanted = list.values();
    for (int from = 0; from < values.length; ) {
      int differs = Arrays.mismatch(values, from, values.length, wanted, from, values.length);
      if (differs < 0) {
        break;
      }
      while (list.valuesFrom(command + 1) <= from + differs) {
        command++;
      }
      int code = calls.set(exec, nodes[command], list, command);
      if (code != ReturnCode.SUCCESS) {
        throw stream.fail(
            code, "a change of %s in a graph of %s".formatted(list.name(command), described));
      }
      changed++;
      from = list.valuesFrom(command + 1);
      int begin = list.valuesFrom(command);
      System.arraycopy(wanted, begin, values, begin, from - begin);
    }
    return changed;
  }

  /**
   * Queues all of its commands.
   *
   * @param now a number that grows, by which the one that was not used longest is found
   * @return the driver's code
   */
  int launch(GraphNodes calls, long now) {
    used = now;
    return JCudaDriver.cuGraphLaunch(exec, calls.stream());
  }

  /** Gives it back. A launch that is under way goes on. */
  @Override
  public void close() {
    if (exec != null) {
      ReturnCode.freed(JCudaDriver.cuGraphExecDestroy(exec), "cuGraphExecDestroy");
      exec = null;
    }
    if (graph != null) {
      ReturnCode.freed(JCudaDriver.cuGraphDestroy(graph), "cuGraphDestroy");
      graph = null;
    }
  }
}
