package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CublasFoldersTest {
  @TempDir Path root;

  private List<String> found(Map<String, String> environment) {
    return new CublasFolders(environment, root)
        .list().stream().map(folder -> root.relativize(folder).toString()).toList();
  }

  private String at(String folder) {
    return root.resolve(folder).toString();
  }

  @BeforeEach
  void install() throws IOException {
    for (String folder :
        List.of(
            "opt/cuda/lib64",
            "usr/local/cuda/lib64",
            "usr/local/cuda-12.9/lib64",
            "usr/local/cuda-12.10/lib64",
            "usr/local/cuda-13/lib64",
            "usr/local/cuda-11.8/bin",
            "usr/local/lib/python3.9/dist-packages/nvidia/cublas/lib",
            "usr/local/lib/python3.12/dist-packages/nvidia/cublas/lib",
            "usr/local/lib/python3.12/dist-packages/nvidia/cu13/lib",
            "usr/lib/python3/dist-packages/nvidia/cublas/lib",
            "me/.local/lib/python3.11/site-packages/nvidia/cu13/lib",
            "me/venv/lib/python3.11/site-packages/nvidia/cublas/lib",
            "me/conda/lib/python3.11/site-packages/nvidia/cublas/lib")) {
      Files.createDirectories(root.resolve(folder));
    }
  }

  @Test
  void theSystemsAreTriedNewestFirst() {
    assertEquals(
        List.of(
            "usr/local/cuda/lib64",
            "usr/local/cuda-13/lib64",
            "usr/local/cuda-12.10/lib64",
            "usr/local/cuda-12.9/lib64",
            "usr/local/lib/python3.12/dist-packages/nvidia/cu13/lib",
            "usr/local/lib/python3.12/dist-packages/nvidia/cublas/lib",
            "usr/local/lib/python3.9/dist-packages/nvidia/cublas/lib",
            "usr/lib/python3/dist-packages/nvidia/cublas/lib"),
        found(Map.of("CUDA_HOME", "")));
  }

  @Test
  void theUsersComeBeforeThem() {
    List<String> all =
        found(
            Map.of(
                "CUDA_HOME", at("opt/cuda"),
                "VIRTUAL_ENV", at("me/venv"),
                "CONDA_PREFIX", at("me/conda"),
                "HOME", at("me")));
    assertEquals("opt/cuda/lib64", all.get(0));
    assertEquals(
        List.of(
            "me/venv/lib/python3.11/site-packages/nvidia/cublas/lib",
            "me/conda/lib/python3.11/site-packages/nvidia/cublas/lib",
            "me/.local/lib/python3.11/site-packages/nvidia/cu13/lib",
            "usr/local/lib/python3.12/dist-packages/nvidia/cu13/lib"),
        all.subList(5, 9));
    assertEquals("me/conda/lib", all.get(all.size() - 1));
  }

  @Test
  void aMachineWithoutAnyHasNone() {
    assertEquals(
        List.of(), new CublasFolders(Map.of("HOME", at("you")), root.resolve("empty")).list());
  }
}
