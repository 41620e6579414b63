package io.unroll.cli;

import com.google.gson.Gson;
import io.unroll.CellSpec;
import io.unroll.data.TextProperty;
import io.unroll.train.CharRnn;
import io.unroll.train.GateActivity;
import io.unroll.train.Observation;
import io.unroll.train.UnitRanking;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The page of {@code inspect}: a frame, a style and a program that lie beside this class, and the
 * data that the program shows, which are packed here.
 */
final class InspectPage {
  private static final String FRAME = "inspect.html";
  private static final String STYLE = "inspect.css";
  private static final List<String> PROGRAM =
      List.of("inspect-data.js", "inspect-text.js", "inspect-drawing.js", "inspect.js");

  /** What the program needs to know besides the packed arrays, as JSON. */
  private record Facts(
      String name,
      String cell,
      int layers,
      int hidden,
      List<String> states,
      String text,
      String symbols,
      double bits,
      int guesses,
      int levels,
      List<PropertyFacts> properties,
      List<UnitFacts> units,
      List<GateFacts> gates) {}

  private record PropertyFacts(String name, String meaning) {}

  /**
   * @param row which of the packed rows is this unit's, or -1 if the page is without it
   * @param scale the value that has the full colour
   * @param r correlations in hundredths, a property each; held and bits likewise
   */
  private record UnitFacts(
      int state, int layer, int unit, int row, double scale, int[] r, int[] held, int[] bits) {}

  private record GateFacts(
      String gate, int layer, int lowest, double[] histogram, double[] left, double[] right) {}

  private final String name;
  private final CharRnn model;
  private final Observation seen;
  private final String text;
  private final UnitRanking ranking;
  private final List<UnitRanking.Unit> units;
  private int unitsShown;

  /**
   * @param name of the text
   * @param ids what was read
   */
  InspectPage(String name, CharRnn model, int[] ids, Observation seen) {
    this.name = name;
    this.model = model;
    this.seen = seen;
    this.text = model.vocabulary().decode(ids);
    this.ranking = UnitRanking.of(seen, TextProperty.of(text));
    this.units = ranking.units();
  }

  /** How many units there are, counting h and c of an LSTM each. */
  int units() {
    return units.size();
  }

  /** How many of them the page has; known after {@link #html}. */
  int unitsShown() {
    return unitsShown;
  }

  /** The best unit of each property that one follows, a line each. */
  String findings() {
    StringBuilder lines = new StringBuilder();
    for (int p = 0; p < ranking.properties().size(); p++) {
      UnitRanking.Unit best = ranking.mostSensitive(p).get(0);
      double held = ranking.sensitivity(best, p).held();
      lines.append(
          String.format(
              Locale.ROOT,
              "%-18s layer %d %s %-4d r %+.2f%n",
              ranking.properties().get(p).name(),
              best.layer() + 1,
              model.config().cell().states().get(best.state()),
              best.number(),
              held));
    }
    return lines
        .append(text.codePointCount(0, text.length()))
        .append(String.format(Locale.ROOT, " characters, %.3f bits each", seen.bitsPerCharacter()))
        .toString();
  }

  /**
   * The whole page.
   *
   * @param budget the bytes it may have, about; the least sensitive units are left out first
   */
  String html(long budget) throws IOException {
    String frame = resource(FRAME).replace("{{style}}", resource(STYLE));
    StringBuilder program = new StringBuilder();
    for (String part : PROGRAM) {
      program.append(resource(part));
    }
    String guesses = PackedRows.guesses(seen, model.vocabulary().size()).base64();
    int[] rows = new int[units.size()];
    double[] scales = new double[units.size()];
    int factsSize = facts(rows, scales).getBytes(StandardCharsets.UTF_8).length;
    long room = budget - frame.length() - program.length() - guesses.length() - factsSize;
    String packed = packUnits(room, rows, scales).base64();
    // The facts come last: their text may have such marks itself, and is not looked through again.
    return frame
        .replace("{{program}}", program)
        .replace("{{units}}", packed)
        .replace("{{guesses}}", guesses)
        .replace("{{facts}}", facts(rows, scales));
  }

  /** Packs the units that fit, the most sensitive first and that one in any case. */
  private PackedRows packUnits(long room, int[] rows, double[] scales) {
    PackedRows packed = new PackedRows();
    for (UnitRanking.Unit unit : ranking.mostSensitive()) {
      int index = units.indexOf(unit);
      rows[index] = -1;
      if (packed.rows() == 0 || packed.size() < room) {
        float[] values = seen.values(unit.state(), unit.layer(), unit.number());
        PackedRows.Scaled scaled = PackedRows.scaled(values);
        rows[index] = packed.rows();
        scales[index] = scaled.scale();
        packed.add(scaled.levels());
      }
    }
    unitsShown = packed.rows();
    return packed;
  }

  private String facts(int[] rows, double[] scales) {
    CharRnn.Config config = model.config();
    CellSpec cell = config.cell();
    List<UnitFacts> all = new ArrayList<>();
    for (int u = 0; u < units.size(); u++) {
      UnitRanking.Unit unit = units.get(u);
      all.add(
          new UnitFacts(
              unit.state(),
              unit.layer(),
              unit.number(),
              rows[u],
              rounded(scales[u], 4),
              hundredths(p -> ranking.sensitivity(unit, p).correlation()),
              hundredths(p -> ranking.sensitivity(unit, p).held()),
              hundredths(p -> ranking.sensitivity(unit, p).information())));
    }
    return new Gson()
        .toJson(
            new Facts(
                name,
                cell.name(),
                config.layers(),
                config.hiddenSize(),
                cell.states(),
                text,
                model.vocabulary().symbols(),
                rounded(seen.bitsPerCharacter(), 3),
                Observation.GUESSES,
                PackedRows.LEVELS,
                ranking.properties().stream()
                    .map(each -> new PropertyFacts(each.name(), each.meaning()))
                    .toList(),
                all,
                seen.gates().stream().map(InspectPage::gateFacts).toList()));
  }

  private int[] hundredths(IntToDoubleFunction measure) {
    return IntStream.range(0, ranking.properties().size())
        .map(p -> (int) Math.round(100 * measure.applyAsDouble(p)))
        .toArray();
  }

  private static GateFacts gateFacts(GateActivity gate) {
    return new GateFacts(
        gate.gate(),
        gate.layer(),
        gate.lowest(),
        rounded(gate.histogram()),
        rounded(IntStream.range(0, gate.units()).mapToDouble(gate::leftSaturated).toArray()),
        rounded(IntStream.range(0, gate.units()).mapToDouble(gate::rightSaturated).toArray()));
  }

  private static double[] rounded(double[] values) {
    return Arrays.stream(values).map(value -> rounded(value, 3)).toArray();
  }

  private static double rounded(double value, int digits) {
    double scale = Math.pow(10, digits);
    return Math.round(value * scale) / scale;
  }

  private static String resource(String file) throws IOException {
    try (InputStream in = InspectPage.class.getResourceAsStream(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
