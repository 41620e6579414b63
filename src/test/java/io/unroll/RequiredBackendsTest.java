package io.unroll;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The backends that the tests run on: all that are available here. A missing one is a skip that
 * says why; {@code -Dunroll.require=cuda,opencl} makes it a failure, and {@code
 * -Dunroll.test.only=cuda} leaves the tests of others to another run. The name {@code native} is
 * the library of the backend cpu: see NativeLibraryTest. The name {@code oclgrind} is what watches
 * the kernels of opencl: see OclgrindCheck. The name {@code chromium} is a browser: see
 * InspectPageInBrowserTest.
 */
public class RequiredBackendsTest {
  /** Names of the available backends. */
  public static Stream<String> available() {
    return Backend.list().stream()
        .filter(Backend.Availability::available)
        .map(Backend.Availability::name);
  }

  /** Names of the available backends but the reference, which judges them. */
  public static Stream<String> judged() {
    return available().filter(name -> !name.equals("reference") && isWanted(name));
  }

  /** Whether a backend is to be tested, by {@code -Dunroll.test.only}. */
  public static boolean isWanted(String name) {
    String only = System.getProperty("unroll.test.only", "");
    return only.isEmpty() || only.equals(name);
  }

  /** The numbers of threads to try a backend with: it gives the same results on each of a CPU's. */
  public static int[] threads(String name) {
    return name.equals("cpu") ? new int[] {1, 2, 3} : new int[] {0};
  }

  static Stream<Backend.Availability> all() {
    return Backend.list().stream();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("all")
  void isAvailableOrSkippedAloud(Backend.Availability backend) {
    boolean required = required().contains(backend.name());
    if (!backend.available() && !required) {
      System.err.println("NOT TESTED: backend " + backend.name() + ": " + backend.detail());
    }
    Assumptions.assumeTrue(backend.available() || required, backend.detail());
    assertTrue(
        backend.available(),
        () -> "-Dunroll.require names " + backend.name() + ", but: " + backend.detail());
  }

  @Test
  void everyRequiredNameIsABackend() {
    List<String> names =
        Stream.concat(
                Backend.list().stream().map(Backend.Availability::name),
                Stream.of("native", "oclgrind", "chromium"))
            .toList();
    for (String name : required()) {
      assertTrue(
          names.contains(name), () -> "-Dunroll.require names " + name + ", not in " + names);
    }
  }

  /** The names in {@code -Dunroll.require}. */
  public static List<String> required() {
    return Stream.of(System.getProperty("unroll.require", "").split(","))
        .map(String::strip)
        .filter(name -> !name.isEmpty())
        .toList();
  }
}
