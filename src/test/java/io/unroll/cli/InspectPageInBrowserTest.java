package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.RequiredBackendsTest;
import io.unroll.train.CharRnn;
import io.unroll.train.Checkpoint;
import io.unroll.train.Observation;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The page of inspect in a real browser, Chromium without a window. Without one it is skipped;
 * {@code -Dunroll.require=chromium} makes that a failure.
 */
class InspectPageInBrowserTest {
  private static final String READ = InspectCommandTest.TEXT.substring(0, 600);

  /** Uses the page as a user does and leaves in its title what it shows then. */
  private static final String USER =
      """
      <script>
      (async () => {
        const all = (what) => [...document.querySelectorAll(what)];
        const told = { failures: [] };
        addEventListener("error", (event) => told.failures.push(event.message));
        const wait = () => new Promise((resolve) => setTimeout(resolve, 20));
        while (document.documentElement.dataset.ready !== "yes" || !all(".block > span").length) {
          await wait();
        }
        const tell = (when) => {
          told[when] = {
            address: location.hash.slice(1),
            levels: all(".block > span").map((span) => Number(/q([0-9]+)/.exec(span.className)[1])),
            at: all(".block > span").findIndex((span) => span.classList.contains("at")),
            chooser: ["layer", "state", "unit"].map((id) => document.getElementById(id).value),
            legend: all("#legend span").map((span) => span.textContent),
            status: document.getElementById("status").textContent,
            guesses: all(".block em").length,
            hits: all(".block em.hit").length,
            theme: document.documentElement.dataset.theme,
            pressed: all("[data-unit][aria-pressed=true]").length,
            pictures: all("#diagram image").length,
            glyphs: all("#diagram .frame + text.glyph").map((text) => text.textContent).join(""),
            dots: all("#gates circle.chosen").length,
          };
        };
        const press = (key) =>
          document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        tell("opened");
        press("ArrowRight"); tell("next");
        press("s"); press("l"); tell("across");
        all(".block > span")[7].click(); tell("clicked");
        press("."); tell("moved");
        press("g"); tell("guesses"); press("g"); tell("text");
        press("t"); tell("themed");
        all(".map button")[3].click(); tell("mapped");
        all("#gates circle")[0].dispatchEvent(new MouseEvent("click", { bubbles: true }));
        tell("dotted");
        document.title = encodeURIComponent(JSON.stringify(told));
      })();
      </script>
      """;

  @TempDir Path folder;
  private Path checkpoint;
  private Path page;

  private static Path browser() {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .flatMap(
            path ->
                Stream.of("chromium", "chromium-browser", "google-chrome")
                    .map(name -> Path.of(path, name)))
        .filter(Files::isExecutable)
        .findFirst()
        .orElse(null);
  }

  @BeforeEach
  void write() throws IOException {
    boolean required = RequiredBackendsTest.required().contains("chromium");
    String cure = "no Chromium on the path (Debian: apt-get install chromium)";
    Assumptions.assumeTrue(browser() != null || required, cure);
    assertNotNull(browser(), () -> "-Dunroll.require names chromium, but there is " + cure);
    checkpoint = InspectCommandTest.checkpoint(folder, CellSpec.LSTM, InspectCommandTest.TEXT);
    Path text = Files.writeString(folder.resolve("code.txt"), READ);
    page = folder.resolve("page.html");
    CommandRun run = CommandRun.of("inspect", checkpoint, text, "--out", page, "--device", "cpu");
    assertEquals(0, run.exit(), run::toString);
  }

  /** What Chromium prints for a page. */
  private String open(Path file, String address, String... options) throws Exception {
    List<String> words = new ArrayList<>(List.of(browser().toString(), "--headless"));
    words.addAll(List.of("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"));
    words.addAll(
        List.of("--hide-scrollbars", "--window-size=1280,900", "--virtual-time-budget=5000"));
    words.add("--user-data-dir=" + folder.resolve("profile"));
    words.addAll(Arrays.asList(options));
    words.add(file.toUri() + "#" + address);
    Path out = folder.resolve("out.txt");
    Process process =
        new ProcessBuilder(words)
            .redirectOutput(out.toFile())
            .redirectError(folder.resolve("err.txt").toFile())
            .start();
    try {
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), "Chromium did not end");
    } finally {
      process.destroyForcibly();
    }
    assertEquals(0, process.exitValue(), Files.readString(folder.resolve("err.txt")));
    return Files.readString(out);
  }

  private JsonObject use(String address) throws Exception {
    String html = Files.readString(page);
    Path used =
        Files.writeString(folder.resolve("used.html"), html.replace("</body>", USER + "</body>"));
    String dom = open(used, address, "--dump-dom");
    String title = dom.substring(dom.indexOf("<title>") + 7, dom.indexOf("</title>"));
    return JsonParser.parseString(URLDecoder.decode(title, StandardCharsets.UTF_8))
        .getAsJsonObject();
  }

  private static void assertAddress(JsonObject told, String when, String... parts) {
    List<String> found =
        List.of(told.getAsJsonObject(when).get("address").getAsString().split("&"));
    for (String part : parts) {
      assertTrue(found.contains(part), () -> when + ": " + part + " in " + found);
    }
  }

  @Test
  void mouseAndKeysChooseAndTheAddressKeepsIt() throws Exception {
    JsonObject told = use("unit=2.h.3&at=5");
    assertEquals("[]", told.get("failures").toString());
    JsonObject opened = told.getAsJsonObject("opened");
    assertEquals("[\"1\",\"0\",\"3\"]", opened.get("chooser").toString());
    assertEquals(5, opened.get("at").getAsInt());
    assertEquals("light", opened.get("theme").getAsString());
    assertTrue(opened.get("status").getAsString().contains("2·h·3"), opened::toString);
    assertShown(opened, 0, 1, 3);
    assertDrawn(opened);
    assertAddress(told, "next", "unit=2.h.4", "at=5");
    assertShown(told.getAsJsonObject("next"), 0, 1, 4);
    assertAddress(told, "across", "unit=1.c.4");
    assertShown(told.getAsJsonObject("across"), 1, 0, 4);
    assertAddress(told, "clicked", "unit=1.c.4", "at=7");
    assertAddress(told, "moved", "at=8");
    assertEquals(8, told.getAsJsonObject("moved").get("at").getAsInt());
    assertAddress(told, "guesses", "guesses=1");
    int characters = READ.codePointCount(0, READ.length());
    assertEquals(5 * characters, told.getAsJsonObject("guesses").get("guesses").getAsInt());
    assertTrue(told.getAsJsonObject("guesses").get("hits").getAsInt() > 0);
    assertEquals(0, told.getAsJsonObject("text").get("guesses").getAsInt());
    assertAddress(told, "themed", "theme=dark");
    assertEquals("dark", told.getAsJsonObject("themed").get("theme").getAsString());
    assertAddress(told, "mapped", "unit=1.h.3");
    assertAddress(told, "dotted", "unit=1.h.0");
    assertEquals(4, told.getAsJsonObject("dotted").get("dots").getAsInt(), "one for each gate");
  }

  /** The colours are the steps of the unit's values that the model itself has. */
  private void assertShown(JsonObject told, int state, int layer, int unit) throws IOException {
    try (Backend backend = Backend.open("cpu");
        Checkpoint file = Checkpoint.read(checkpoint);
        CharRnn model = CharRnn.load(file, backend)) {
      int[] ids = model.vocabulary().encode(READ);
      float[] values = Observation.of(model, ids).values(state, layer, unit);
      PackedRows.Scaled scaled = PackedRows.scaled(values);
      JsonArray levels = told.getAsJsonArray("levels");
      assertEquals(ids.length, levels.size(), "an element for each code point");
      for (int t = 0; t < ids.length; t++) {
        assertEquals(scaled.levels()[t], levels.get(t).getAsInt(), "character " + t);
      }
      String legend = told.getAsJsonArray("legend").get(2).getAsString();
      assertEquals(scaled.scale(), Double.parseDouble(legend), 0.0051);
    }
  }

  /** The diagram has a column for each character that it names, with a picture for each layer. */
  private static void assertDrawn(JsonObject told) {
    String glyphs = told.get("glyphs").getAsString();
    assertTrue(glyphs.length() >= 5, glyphs);
    assertTrue(READ.replace(' ', '␣').contains(glyphs), glyphs);
    assertEquals(2 * glyphs.length(), told.get("pictures").getAsInt());
  }

  @Test
  void anAddressThatNamesNothingShowsTheMostSensitiveUnit() throws Exception {
    JsonObject told = use("unit=9.h.3&at=-4&theme=pink").getAsJsonObject("opened");
    assertEquals(0, told.get("at").getAsInt());
    String facts = Files.readString(page);
    JsonArray units = InspectCommandTest.facts(facts).getAsJsonArray("units");
    for (var each : units) {
      JsonObject unit = each.getAsJsonObject();
      if (unit.get("row").getAsInt() == 0) {
        assertShown(
            told,
            unit.get("state").getAsInt(),
            unit.get("layer").getAsInt(),
            unit.get("unit").getAsInt());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"light", "dark"})
  void bothThemesShowBothColours(String theme) throws Exception {
    Path file = folder.resolve("page.png");
    open(page, "unit=1.h.0&theme=" + theme, "--screenshot=" + file);
    BufferedImage picture = ImageIO.read(file.toFile());
    assertEquals(1280, picture.getWidth());
    int blue = 0;
    int orange = 0;
    double light = 0;
    for (int y = 0; y < picture.getHeight(); y++) {
      for (int x = 0; x < picture.getWidth(); x++) {
        int rgb = picture.getRGB(x, y);
        int red = rgb >> 16 & 255;
        int green = rgb >> 8 & 255;
        blue += (rgb & 255) > red + 60 ? 1 : 0;
        orange += red > (rgb & 255) + 60 ? 1 : 0;
        light += green / 255.0 / picture.getHeight() / picture.getWidth();
      }
    }
    assertTrue(blue > 3000 && orange > 3000, blue + " and " + orange);
    assertEquals(theme.equals("light"), light > 0.5, "mean lightness " + light);
    assertNotEquals(light, 1);
    assertFalse(light == 0, "a blank page");
  }
}
