package io.unroll.device;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;

/** Frees in one go what a test has allocated on a device that others use after it. */
final class OwningDevice {
  private OwningDevice() {}

  /** The same device; closing it frees what was allocated by way of it, and no more. */
  static Device of(Device device) {
    List<DeviceBuffer> buffers = new ArrayList<>();
    return (Device)
        Proxy.newProxyInstance(
            Device.class.getClassLoader(),
            new Class<?>[] {Device.class},
            (proxy, method, args) -> {
              if (method.getName().equals("close")) {
                buffers.forEach(DeviceBuffer::close);
                return null;
              }
              Object result = call(device, method, args);
              if (result instanceof DeviceBuffer buffer) {
                buffers.add(buffer);
              }
              return result;
            });
  }

  private static Object call(Device device, Method method, Object[] args) throws Throwable {
    try {
      return method.invoke(device, args);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
