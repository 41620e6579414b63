package io.unroll.device.cuda;

import io.unroll.device.DeviceCeilings.Outcome;
import io.unroll.device.DeviceCeilings.Row;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import jcuda.driver.CUdevice_attribute;

/** The sizes that a device reports of itself, as rows of {@link Ceilings}. */
record DeviceSizes(Hardware hardware) {
  /** Of every row. */
  static final String NAME = "reported";

  /** A row for each. */
  List<Row> rows() {
    Map<String, Integer> asked = new LinkedHashMap<>();
    asked.put("processors", CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    asked.put(
        "registers of a processor",
        CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR);
    asked.put(
        "registers of a block", CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK);
    asked.put(
        "threads of a processor",
        CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR);
    asked.put(
        "shared bytes of a processor",
        CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
    asked.put(
        "shared bytes of a block",
        CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
    asked.put(
        "shared bytes of a block that asks",
        CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
    asked.put(
        "shared bytes kept of each block",
        CUdevice_attribute.CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK);
    asked.put("L2 bytes", CUdevice_attribute.CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
    asked.put(
        "L2 bytes that can be kept",
        CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_PERSISTING_L2_CACHE_SIZE);
    asked.put(
        "highest clock of a processor, kHz", CUdevice_attribute.CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
    asked.put(
        "highest clock of the memory, kHz",
        CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE);
    List<Row> rows = new ArrayList<>();
    asked.forEach(
        (name, attribute) ->
            rows.add(
                new Row(
                    NAME,
                    name,
                    "",
                    List.of((double) hardware.number(attribute)),
                    Outcome.MEASURED,
                    null)));
    return rows;
  }
}
