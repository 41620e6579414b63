package io.unroll.device.cuda;

import jcuda.driver.CUDA_KERNEL_NODE_PARAMS;
import jcuda.driver.CUDA_MEMCPY3D;
import jcuda.driver.CUcontext;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUgraphNode;
import jcuda.driver.CUmemorytype;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * The nodes of graphs as the driver wants them described, in structures that are filled again and
 * again. All methods give the driver's code.
 *
 * @param stream whose graphs they are
 */
record GraphNodes(
    CUcontext context,
    CUstream stream,
    ParameterBlock parameters,
    CUDA_KERNEL_NODE_PARAMS kernel,
    CUDA_MEMCPY3D copy,
    CUgraphNode[] before) {

  GraphNodes(CUcontext context, CUstream stream, ParameterBlock parameters) {
    this(
        context,
        stream,
        parameters,
        new CUDA_KERNEL_NODE_PARAMS(),
        new CUDA_MEMCPY3D(),
        new CUgraphNode[1]);
    kernel.gridDimY = 1;
    kernel.gridDimZ = 1;
    kernel.blockDimY = 1;
    kernel.blockDimZ = 1;
    copy.srcMemoryType = CUmemorytype.CU_MEMORYTYPE_HOST;
    copy.dstMemoryType = CUmemorytype.CU_MEMORYTYPE_DEVICE;
    copy.srcHeight = 1;
    copy.dstHeight = 1;
    copy.Height = 1;
    copy.Depth = 1;
  }

  /**
   * Adds command i of a list to a graph.
   *
   * @param previous the node that it comes after, or null for the first
   */
  int add(CUgraphNode node, CUgraph graph, CUgraphNode previous, CommandList list, int i) {
    CUgraphNode[] after = previous == null ? null : before;
    int count = previous == null ? 0 : 1;
    before[0] = previous;
    return switch (list.kind(i)) {
      case CommandList.KERNEL ->
          JCudaDriver.cuGraphAddKernelNode(node, graph, after, count, kernel(list, i));
      case CommandList.COPY ->
          JCudaDriver.cuGraphAddMemcpyNode(node, graph, after, count, copy(list, i), context);
      default -> addForeign(node, graph, after, list, i);
    };
  }

  /** Gives a node of a graph the values of command i; foreign work has none. */
  int set(CUgraphExec exec, CUgraphNode node, CommandList list, int i) {
    return list.kind(i) == CommandList.KERNEL
        ? JCudaDriver.cuGraphExecKernelNodeSetParams(exec, node, kernel(list, i))
        : JCudaDriver.cuGraphExecMemcpyNodeSetParams(exec, node, copy(list, i), context);
  }

  private CUDA_KERNEL_NODE_PARAMS kernel(CommandList list, int i) {
    kernel.func = list.kernelAt(i).handle();
    kernel.gridDimX = list.groupsAt(i);
    kernel.blockDimX = list.groupAt(i);
    kernel.sharedMemBytes = list.dynamicBytesAt(i);
    kernel.kernelParams = parameters.load(list, i);
    return kernel;
  }

  /** A line of bytes: the driver changes no other copies of a graph that it has made. */
  private CUDA_MEMCPY3D copy(CommandList list, int i) {
    long bytes = list.bytesAt(i);
    copy.srcHost = Addresses.host(list.sourceAt(i));
    copy.dstDevice = Addresses.device(list.targetAt(i));
    copy.srcPitch = bytes;
    copy.dstPitch = bytes;
    copy.WidthInBytes = bytes;
    return copy;
  }

  /** What it queues on the stream becomes a graph within the graph. */
  private int addForeign(
      CUgraphNode node, CUgraph graph, CUgraphNode[] after, CommandList list, int i) {
    int code =
        JCudaDriver.cuStreamBeginCapture(
            stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
    if (code != ReturnCode.SUCCESS) {
      return code;
    }
    CUgraph captured = new CUgraph();
    boolean isIssued = false;
    try {
      list.foreignAt(i).issue(stream, list.shape(), list.wordsFrom(i));
      isIssued = true;
    } finally {
      code = JCudaDriver.cuStreamEndCapture(stream, captured);
      if (code == ReturnCode.SUCCESS) {
        if (isIssued) {
          code =
              JCudaDriver.cuGraphAddChildGraphNode(
                  node, graph, after, after == null ? 0 : 1, captured);
        }
        ReturnCode.freed(JCudaDriver.cuGraphDestroy(captured), "cuGraphDestroy");
      }
    }
    return code;
  }
}
