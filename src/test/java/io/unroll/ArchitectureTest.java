package io.unroll;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.stream.Collectors.toMap;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import io.unroll.device.Ledger;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import picocli.CommandLine;

/**
 * Who may know whom. Arrows point one way: cli, then train, then data and io, then nn, engine, the
 * device SPI, the root package. Devices are found by ServiceLoader and imported by nobody.
 *
 * <p>A rule about a package that is not there passes.
 */
class ArchitectureTest {
  /** Each package, and which others of ours it may use. */
  private static final Map<String, String[]> ARROWS =
      table(
          """
          io.unroll                  :
          io.unroll.reference        : io.unroll
          io.unroll.device           : io.unroll
          io.unroll.device.reference : io.unroll io.unroll.device io.unroll.reference
          io.unroll.device.cpu       : io.unroll io.unroll.device io.unroll.reference
          io.unroll.device.cuda      : io.unroll io.unroll.device
          io.unroll.device.opencl    : io.unroll io.unroll.device
          io.unroll.engine           : io.unroll io.unroll.device
          io.unroll.nn               : io.unroll io.unroll.device io.unroll.engine
          io.unroll.data             : io.unroll io.unroll.device io.unroll.engine io.unroll.nn
          io.unroll.io               : io.unroll io.unroll.device io.unroll.engine io.unroll.nn
          io.unroll.train            : io.unroll io.unroll.device io.unroll.engine io.unroll.nn \
                                       io.unroll.data io.unroll.io
          io.unroll.cli              : io.unroll io.unroll.device io.unroll.engine io.unroll.nn \
                                       io.unroll.data io.unroll.io io.unroll.train \
                                       io.unroll.reference
          """);

  private static final Set<String> PACKAGES = ARROWS.keySet();

  /** Each package that has libraries of its own, which no other package may use. */
  private static final Map<String, String[]> LIBRARIES =
      table(
          """
          io.unroll.device.cuda   : jcuda..
          io.unroll.device.opencl : org.lwjgl..
          io.unroll.cli           : picocli.. me.tongfei.. org.knowm..
          """);

  static final Set<String> LIBRARY_USERS = LIBRARIES.keySet();

  private static final JavaClasses UNROLL =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.unroll");

  @Test
  void everyPackageHasItsArrows() {
    assertFalse(UNROLL.isEmpty(), "no class of io.unroll was found, so no rule was tried");
    check(classes().should().resideInAnyPackage(PACKAGES.toArray(String[]::new)));
  }

  @ParameterizedTest
  @FieldSource("PACKAGES")
  void packageUsesOnlyThoseBelowIt(String user) {
    check(arrows(user));
  }

  @Test
  void packagesHaveNoCycles() {
    check(slices().matching("io.unroll.(**)").should().beFreeOfCycles());
  }

  @Test
  void oracleKnowsCellsAndPrecisionOnly() {
    check(
        classes()
            .that()
            .resideInAPackage("io.unroll.reference")
            .should()
            .onlyDependOnClassesThat(
                resideInAnyPackage("io.unroll.reference", "java..")
                    .or(belongToAnyOf(CellSpec.class, Precision.class)))
            .because("a judge does not lean on what it judges"));
  }

  @ParameterizedTest
  @FieldSource("LIBRARY_USERS")
  void librariesHaveOneUser(String user) {
    check(libraries(user));
  }

  @Test
  void onlyTheCommandLinePrints() {
    check(silence());
  }

  @Test
  void logsGoToSystemLogger() {
    check(
        noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.util.logging..", "org.slf4j..", "org.apache.."));
  }

  @Test
  void namesSayWhatAThingIs() {
    check(names());
  }

  /** A rule that cannot go red is no rule. */
  @Test
  void plantedFaultsAreFound() {
    JavaClasses fault = new ClassFileImporter().importClasses(PlantedHelper.class);
    Stream.of(arrows("io.unroll"), libraries("io.unroll.cli"), silence(), names())
        .forEach(
            rule -> assertThrows(AssertionError.class, () -> rule.check(fault), rule::toString));
  }

  /** Breaks four rules: see {@link #plantedFaultsAreFound}. */
  public static final class PlantedHelper {
    static void run(Ledger ledger, CommandLine line) {
      System.out.println(ledger.liveBytes() + line.getCommandName());
    }
  }

  private static ArchRule arrows(String user) {
    return classes()
        .that()
        .resideInAPackage(user)
        .should()
        .onlyDependOnClassesThat(
            resideOutsideOfPackage("io.unroll..")
                .or(resideInAnyPackage(user))
                .or(resideInAnyPackage(ARROWS.get(user))));
  }

  private static ArchRule libraries(String user) {
    return noClasses()
        .that()
        .resideOutsideOfPackage(user)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(LIBRARIES.get(user));
  }

  private static ArchRule silence() {
    return noClasses()
        .that()
        .resideOutsideOfPackage("io.unroll.cli")
        .should(ACCESS_STANDARD_STREAMS);
  }

  private static ArchRule names() {
    return noClasses()
        .that()
        .arePublic()
        .should()
        .haveNameMatching(".*[.$]Abstract[^.$]*|.*(Impl|Helper|Utils?|Manager)");
  }

  private static void check(ArchRule rule) {
    rule.allowEmptyShould(true).check(UNROLL);
  }

  private static Map<String, String[]> table(String text) {
    return text.lines()
        .map(line -> line.split(":", -1))
        .collect(toMap(line -> line[0].strip(), line -> line[1].strip().split(" +")));
  }
}
