package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Machines with and without cuBLAS, each in a process of its own, on the simulated device. */
class CublasTest {
  private static final String PRODUCT = "product: [14.0, 32.0, 32.0, 77.0]";
  private static final String OWN = "matrix products by its own kernels)";

  @TempDir Path folder;

  /** Where {@code native/cudasim} has built cuBLAS of each major version. */
  private Path built;

  @BeforeEach
  void find() {
    Assumptions.assumeTrue(
        Devices.first().isSimulated(), "what lacks and fails is simulated, and this GPU is real");
    Assumptions.assumeTrue(
        CublasLoading.class.getResource(CublasLoading.BRIDGE) != null,
        "this build has no native libraries");
    built =
        Stream.of(System.getenv("LD_LIBRARY_PATH").split(File.pathSeparator))
            .map(each -> Path.of(each, "cublas"))
            .filter(Files::isDirectory)
            .findFirst()
            .orElseThrow(() -> new AssertionError("native/cudasim: build the target cublas"));
  }

  private List<String> look(String wanted, Map<String, String> environment) throws IOException {
    return run(wanted, environment, "none");
  }

  private List<String> look(String wanted) throws IOException {
    return look(wanted, Map.of());
  }

  /**
   * The lines that it prints, the first of which says how products are done.
   *
   * @param wanted of -Dunroll.cuda.cublas, or null
   * @param leftOut of the class path
   */
  private List<String> run(
      String wanted, Map<String, String> environment, String leftOut, String... arguments)
      throws IOException {
    String classPath =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !new File(entry).getName().matches(leftOut))
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-ea", "-cp", classPath));
    command.addAll(List.of("-Dunroll.opencl.library=none", "-Dunroll.cpu.native=false"));
    command.add("-D" + Images.PROPERTY + "=" + System.getProperty(Images.PROPERTY));
    command.add("-Djava.io.tmpdir=" + folder);
    if (wanted != null) {
      command.add("-D" + CublasLibrary.PROPERTY + "=" + wanted);
    }
    command.add(CublasProcess.class.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    List.of("CUDA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX").forEach(builder.environment()::remove);
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor(), output);
      return output.lines().filter(line -> !line.contains("Picked up ")).toList();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    } finally {
      process.destroyForcibly();
    }
  }

  private static void assertUses(String version, Path file, List<String> lines) {
    assertTrue(
        lines.get(0).endsWith("; matrix products by cuBLAS %s (%s)".formatted(version, file)),
        lines::toString);
    assertTrue(
        lines.get(1).endsWith("matrix products by cuBLAS %s)".formatted(version)), lines::toString);
    assertEquals(PRODUCT, lines.get(2));
    assertEquals(3, lines.size(), lines::toString);
  }

  private static void assertOwn(String why, List<String> lines) {
    String first = lines.get(lines.size() - 3);
    assertTrue(
        first.contains("; matrix products by Unroll's own kernels, without cuBLAS: "), first);
    assertTrue(first.contains(why), first);
    assertTrue(lines.get(lines.size() - 2).endsWith(OWN), lines::toString);
    assertEquals(PRODUCT, lines.get(lines.size() - 1));
  }

  private Path file(int major) {
    return built.resolve(major + "/libcublas.so." + major);
  }

  @Test
  void theTestsOfProductsPassWithIt() throws IOException {
    List<String> lines = run(file(13).getParent().toString(), Map.of(), "none", "tests");
    List<String> passed = lines.stream().filter(line -> line.startsWith("passed: ")).toList();
    // On a CPU in Java, and with cuBLAS.
    assertTrue(
        Collections.frequency(passed, "passed: depthZeroClearsOrKeeps()") >= 2, lines::toString);
    assertEquals(4, passed.stream().filter(line -> line.startsWith("passed: cuda")).count());
    assertFalse(lines.toString().contains("FAILED"), lines::toString);
  }

  /** A graph holds its work, and nobody can tell by the results. */
  @Test
  void aStepWithItBecomesAGraph() throws IOException {
    String wanted = "-D%s=%s".formatted(CublasLibrary.PROPERTY, file(13));
    List<String> graphs = GraphProcess.run(Map.of(), wanted);
    List<String> commands = GraphProcess.run(Map.of(), wanted, "-Dunroll.cuda.graphs=false");
    assertEquals(commands.get(0), graphs.get(0));
    assertNotEquals(commands.get(1), graphs.get(1), "no graph was made");
    List<String> own = GraphProcess.run(Map.of(), wanted.replaceFirst("=.*", "=false"));
    assertEquals(own.get(1), graphs.get(1), "as many graphs as with our own kernels");
  }

  @Test
  void operandsAreRoundedAsThePrecisionSays() throws IOException {
    assertEquals(
        List.of("FP32 1.0004883", "TF32 1.0009766", "BF16 1.0"),
        run(file(12).toString(), Map.of(), "none", "precisions"));
  }

  @ParameterizedTest
  @ValueSource(ints = {12, 13})
  void aFileIsTaken(int major) throws IOException {
    assertUses(major + ".98.76", file(major), look(file(major).toString()));
  }

  @ParameterizedTest
  @ValueSource(ints = {12, 13})
  void whatTheSystemsLoaderKnowsIsTakenFirst(int major) throws IOException {
    String path = System.getenv("LD_LIBRARY_PATH") + ":" + file(major).getParent();
    Path other = link("home/lib64", major == 12 ? 13 : 12);
    assertUses(
        major + ".98.76",
        file(major),
        look(null, Map.of("LD_LIBRARY_PATH", path, "CUDA_HOME", other.getParent().toString())));
  }

  @ParameterizedTest
  @ValueSource(ints = {12, 13})
  void aToolkitIsFound(int major) throws IOException {
    Path lib = link("home/lib64", major);
    assertUses(
        major + ".98.76", file(major), look(null, Map.of("CUDA_HOME", lib.getParent().toString())));
  }

  /** After one that is broken the next is tried. */
  @Test
  void aPackageOfPythonIsFound() throws IOException {
    link("venv/lib/python3.11/site-packages/nvidia/cublas/lib", 12);
    Path broken = Files.createDirectories(folder.resolve("home/lib64"));
    Files.writeString(broken.resolve("libcublas.so.12"), "no library");
    List<String> lines =
        look(
            null,
            Map.of(
                "CUDA_HOME", folder.resolve("home").toString(),
                "VIRTUAL_ENV", folder.resolve("venv").toString()));
    assertUses("12.98.76", file(12), lines.subList(lines.size() - 3, lines.size()));
  }

  private Path link(String place, int major) throws IOException {
    Path lib = Files.createDirectories(folder.resolve(place));
    for (String name : List.of("libcublas.so.", "libcublasLt.so.")) {
      Files.createSymbolicLink(lib.resolve(name + major), file(major).resolveSibling(name + major));
    }
    return lib;
  }

  @Test
  void withoutAnyOurOwnKernelsDoTheWork() throws IOException {
    List<String> lines = look(null, Map.of("HOME", folder.toString()));
    Assumptions.assumeFalse(lines.get(0).contains("by cuBLAS"), "this machine has a real cuBLAS");
    assertOwn("no libcublas.so.12 or libcublas.so.13 was found; install cuBLAS", lines);
  }

  @Test
  void itCanBeSwitchedOff() throws IOException {
    assertOwn("it is switched off by -Dunroll.cuda.cublas=false", look("false"));
  }

  @Test
  void aWrongPathIsNamed() throws IOException {
    String nowhere = folder.resolve("nowhere").toString();
    assertOwn("cublas=" + nowhere + " is no file, and no folder with", look(nowhere));
  }

  @Test
  void aBrokenLibraryIsNamed() throws IOException {
    Path broken = Files.writeString(folder.resolve("libcublas.so.12"), "no library");
    assertOwn(broken + ": file too short", look(folder.toString()));
  }

  /** What it needs lies in another folder. */
  @Test
  void aMissingCompanionIsNamed() throws IOException {
    Files.createSymbolicLink(folder.resolve("libcublas.so.13"), file(13));
    assertOwn("libcublasLt.so.13: cannot open shared object file", look(folder.toString()));
  }

  @Test
  void aMissingJarIsNamed() throws IOException {
    String wanted = file(12).toString();
    assertOwn("JCublas is not on the class path", run(wanted, Map.of(), "jcublas-\\d.*[.]jar"));
    assertOwn("add org.jcuda:jcublas-natives", run(wanted, Map.of(), "jcublas-natives.*[.]jar"));
  }

  @Test
  void oneThatDoesNotWorkOnTheDeviceIsWarnedOf() throws IOException {
    List<String> lines =
        look(file(12).toString(), Map.of("UNROLL_CUDASIM_CUBLAS", "cublasCreate_v2:3"));
    String all = String.join("\n", lines);
    assertTrue(
        all.contains("cublasCreate returned CUBLAS_STATUS_ALLOC_FAILED (3). Unroll's own"), all);
    assertTrue(lines.get(lines.size() - 2).endsWith(OWN), all);
    assertEquals(PRODUCT, lines.get(lines.size() - 1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"cublasGemmEx", "cublasSetStream_v2", "cublasSetWorkspace_v2"})
  void aFailureEndsTheBackendAndNamesTheCure(String call) throws IOException {
    List<String> lines = look(file(13).toString(), Map.of("UNROLL_CUDASIM_CUBLAS", call + ":13"));
    String last = lines.get(lines.size() - 1);
    String what =
        "failed: backend \"cuda:0\" failed: %s of cuBLAS 13.98.76 returned %s on "
            .formatted(call.replace("_v2", ""), "CUBLAS_STATUS_EXECUTION_FAILED (13)");
    assertTrue(last.startsWith(what), lines::toString);
    assertTrue(
        last.endsWith("; -Dunroll.cuda.cublas=false does without cuBLAS; it can only be closed"),
        last);
    assertFalse(lines.contains(PRODUCT), lines::toString);
  }

  /** One that was left there is not loaded, and nothing is left. */
  @Test
  void temporaryFilesArePrivate() throws IOException {
    Path foreign = folder.resolve("libJCublas2-12.6.0-linux-x86_64.so");
    Files.writeString(foreign, "no library");
    assertUses("13.98.76", file(13), look(file(13).toString()));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(
          List.of(foreign), left.filter(each -> !each.toString().contains("hsperf")).toList());
    }
  }
}
