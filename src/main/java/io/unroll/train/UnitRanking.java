package io.unroll.train;

import io.unroll.data.TextProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Every unit of a model held against every property of the text that it read: which of them follow
 * something. Units are ordered by the absolute value of {@link Sensitivity#held}.
 */
public final class UnitRanking {
  /**
   * One unit, or for an LSTM one of its two states.
   *
   * @param state its place in {@link io.unroll.CellSpec#states}
   * @param layer from 0
   * @param number from 0
   */
  public record Unit(int state, int layer, int number) {}

  private final List<TextProperty> properties;
  private final Map<Unit, Sensitivity[]> found = new LinkedHashMap<>();

  private UnitRanking(List<TextProperty> properties) {
    this.properties = List.copyOf(properties);
  }

  /**
   * Measures all of them, on all cores.
   *
   * @param seen what the units did
   * @param properties of the same text
   */
  public static UnitRanking of(Observation seen, List<TextProperty> properties) {
    UnitRanking ranking = new UnitRanking(properties);
    List<Sensitivity.Series> texts =
        properties.stream().map(each -> new Sensitivity.Series(each.values())).toList();
    List<Unit> units = seen.units();
    Sensitivity[][] all = new Sensitivity[units.size()][properties.size()];
    IntStream.range(0, units.size())
        .parallel()
        .forEach(
            u -> {
              Unit unit = units.get(u);
              Sensitivity.Series values =
                  new Sensitivity.Series(seen.values(unit.state(), unit.layer(), unit.number()));
              for (int p = 0; p < texts.size(); p++) {
                all[u][p] = Sensitivity.of(values, texts.get(p));
              }
            });
    for (int u = 0; u < units.size(); u++) {
      ranking.found.put(units.get(u), all[u]);
    }
    return ranking;
  }

  /** What they were held against. */
  public List<TextProperty> properties() {
    return properties;
  }

  /** All units: those of state h layer by layer, then those of c. */
  public List<Unit> units() {
    return List.copyOf(found.keySet());
  }

  /** How closely a unit follows a property, by its place in {@link #properties}. */
  public Sensitivity sensitivity(Unit unit, int property) {
    return found.get(unit)[property];
  }

  /** All units, the one first that follows a property most closely. */
  public List<Unit> mostSensitive(int property) {
    return sorted(unit -> Math.abs(found.get(unit)[property].held()));
  }

  /** All units, the one first that follows any property most closely. */
  public List<Unit> mostSensitive() {
    return sorted(
        unit ->
            Arrays.stream(found.get(unit)).mapToDouble(s -> Math.abs(s.held())).max().orElse(0));
  }

  private List<Unit> sorted(ToDoubleFunction<Unit> measure) {
    List<Unit> units = new ArrayList<>(found.keySet());
    units.sort(Comparator.comparingDouble(measure).reversed());
    return units;
  }
}
