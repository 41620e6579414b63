package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.DeviceException;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What closing says: a failure that nobody has met, and nothing else. */
class ClosingTest {
  private final List<String> said = new ArrayList<>();
  private final Logger logger = Logger.getLogger(ReturnCode.class.getName());
  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord entry) {
          said.add(entry.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  @BeforeEach
  void listen() {
    SimulatedProcess.require();
    logger.addHandler(handler);
    logger.setUseParentHandlers(false);
  }

  @AfterEach
  void listenNoMore() {
    logger.removeHandler(handler);
    logger.setUseParentHandlers(true);
  }

  private static CudaDevice withAFailingKernel() {
    CudaDevice device = new CudaDevice("cuda:0", Devices.first());
    DeviceBuffer buffer = device.allocate(ElementType.REAL, 8, "x");
    KernelArgs outside = new KernelArgs().buffer(buffer, 1L << 40).buffer(buffer, 1L << 40);
    device.launch(device.compile(Kernel.TANH_FORWARD, null), 8, outside);
    return device;
  }

  @Test
  void aFailureThatWasThrownIsNotToldAgain() {
    CudaDevice device = withAFailingKernel();
    assertThrows(DeviceException.class, device::synchronize);
    device.ledger().live().forEach(DeviceBuffer::close);
    device.close();
    assertEquals(List.of(), said);
  }

  @Test
  void aFailureThatNobodyHasMetIsToldOnce() {
    CudaDevice device = withAFailingKernel();
    assertThrows(IllegalStateException.class, device::close, "a buffer is open");
    assertEquals(1, said.size(), said::toString);
    assertTrue(
        said.get(0).contains("cuMemFree returned CUDA_ERROR_ILLEGAL_ADDRESS (700)"),
        said::toString);
  }

  @Test
  void aDeviceThatIsWellSaysNothing() {
    new CudaDevice("cuda:0", Devices.first()).close();
    assertEquals(List.of(), said);
  }
}
