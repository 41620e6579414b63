package io.unroll.train;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.unroll.CellSpec;
import io.unroll.FileFormatException;
import io.unroll.data.Scaling;
import io.unroll.data.TokenVocabulary;
import io.unroll.nn.RecurrentConfig;
import io.unroll.train.ModelConfig.Input;
import io.unroll.train.ModelConfig.Output;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How a {@link ModelConfig} stands in the metadata of a checkpoint: as JSON under one key. */
final class ModelFile {
  /** The metadata key of the version. */
  static final String VERSION_KEY = "model.version";

  /** What this build writes and reads. */
  static final String VERSION = "1";

  /** The metadata key of the configuration. */
  static final String CONFIG_KEY = "model.config";

  private ModelFile() {}

  /** All that a file says of a model besides its weights. */
  static Map<String, String> metadata(ModelConfig config) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put(VERSION_KEY, VERSION);
    all.put(CONFIG_KEY, toJson(config));
    return all;
  }

  static String toJson(ModelConfig config) {
    JsonObject input = new JsonObject();
    if (config.input().hasTokens()) {
      input.add("vocabulary", json(config.input().vocabulary()));
      input.addProperty("embeddingSize", config.input().embeddingSize());
    } else {
      input.add("scaling", json(config.input().scaling()));
    }
    JsonObject recurrent = new JsonObject();
    recurrent.addProperty("cell", config.recurrent().cell().name());
    recurrent.addProperty("hiddenSize", config.recurrent().hiddenSize());
    recurrent.addProperty("layers", config.recurrent().layers());
    recurrent.addProperty("bidirectional", config.recurrent().bidirectional());
    recurrent.addProperty("dropout", config.recurrent().dropout());
    JsonObject output = new JsonObject();
    output.addProperty("everyStep", config.output().everyStep());
    if (config.output().classes() != null) {
      output.add("classes", json(config.output().classes()));
    } else if (config.output().scaling() != null) {
      output.add("scaling", json(config.output().scaling()));
    }
    JsonObject all = new JsonObject();
    all.add("input", input);
    all.add("recurrent", recurrent);
    all.add("output", output);
    return all.toString();
  }

  private static JsonObject json(TokenVocabulary vocabulary) {
    JsonObject all = new JsonObject();
    all.addProperty("splitting", vocabulary.splitting().name());
    all.add("tokens", json(vocabulary.tokens()));
    return all;
  }

  private static JsonObject json(Scaling scaling) {
    JsonObject all = new JsonObject();
    all.add("names", json(scaling.names()));
    all.add("means", json(scaling.means()));
    all.add("deviations", json(scaling.deviations()));
    all.addProperty("missing", scaling.missing().name());
    all.addProperty("marked", scaling.marked());
    return all;
  }

  private static JsonArray json(List<String> texts) {
    JsonArray all = new JsonArray();
    texts.forEach(all::add);
    return all;
  }

  private static JsonArray json(double[] numbers) {
    JsonArray all = new JsonArray();
    Arrays.stream(numbers).forEach(all::add);
    return all;
  }

  /**
   * The configuration of a checkpoint.
   *
   * @throws FileFormatException if it holds another kind of model, another version, or is damaged
   */
  static ModelConfig read(Checkpoint checkpoint) throws IOException {
    String version = checkpoint.metadata().get(VERSION_KEY);
    if (version == null) {
      boolean characters = checkpoint.metadata().containsKey("model.cell");
      throw new FileFormatException(
          checkpoint.path(),
          characters
              ? "holds a character model and not a Model"
              : "holds weights, but not what model they belong to",
          characters ? "Load it with CharRnn.load." : "Give a file that Model.save has written.");
    }
    if (!version.equals(VERSION)) {
      throw new FileFormatException(
          checkpoint.path(),
          "holds a model of version " + version + ", but this build reads " + VERSION,
          "Use the build that wrote it.");
    }
    JsonObject json;
    try {
      json = JsonParser.parseString(checkpoint.metadata(CONFIG_KEY)).getAsJsonObject();
    } catch (JsonParseException | IllegalStateException e) {
      throw damaged(checkpoint.path(), CONFIG_KEY + " is no JSON object: " + e.getMessage(), e);
    }
    Part all = new Part(checkpoint.path(), CONFIG_KEY, json);
    try {
      return config(all.part("input"), all.part("recurrent"), all.part("output"));
    } catch (IllegalArgumentException e) {
      throw damaged(checkpoint.path(), "describes no model: " + e.getMessage(), e);
    }
  }

  private static ModelConfig config(Part input, Part recurrent, Part output) throws IOException {
    Input read =
        input.has("vocabulary")
            ? Input.tokens(vocabulary(input.part("vocabulary")), input.integer("embeddingSize"))
            : Input.vectors(scaling(input.part("scaling")));
    Output told =
        new Output(
            output.flag("everyStep"),
            output.has("classes") ? output.texts("classes") : null,
            output.has("scaling") ? scaling(output.part("scaling")) : null);
    RecurrentConfig layers =
        RecurrentConfig.of(
                CellSpec.of(recurrent.text("cell")), read.size(), recurrent.integer("hiddenSize"))
            .withLayers(recurrent.integer("layers"))
            .withBidirectional(recurrent.flag("bidirectional"))
            .withDropout(recurrent.real("dropout"));
    return new ModelConfig(read, layers, told);
  }

  private static TokenVocabulary vocabulary(Part part) throws IOException {
    return TokenVocabulary.of(
        TokenVocabulary.Splitting.valueOf(part.text("splitting")), part.texts("tokens"));
  }

  private static Scaling scaling(Part part) throws IOException {
    return new Scaling(
        part.texts("names"),
        part.reals("means"),
        part.reals("deviations"),
        Scaling.Missing.valueOf(part.text("missing")),
        part.flag("marked"));
  }

  private static FileFormatException damaged(String file, String problem, Exception cause) {
    return new FileFormatException(file, problem, "Take another file; this one is damaged.", cause);
  }

  /** A part of the configuration; what is missing or of another type is named by its path. */
  private record Part(String file, String path, JsonObject object) {
    boolean has(String key) {
      return object.has(key);
    }

    Part part(String key) throws IOException {
      JsonElement found = require(key, "an object", object.get(key) instanceof JsonObject);
      return new Part(file, path + "." + key, found.getAsJsonObject());
    }

    String text(String key) throws IOException {
      return require(key, "a string", isString(object.get(key))).getAsString();
    }

    boolean flag(String key) throws IOException {
      JsonElement found = object.get(key);
      boolean good = isPrimitive(found) && found.getAsJsonPrimitive().isBoolean();
      return require(key, "true or false", good).getAsBoolean();
    }

    int integer(String key) throws IOException {
      double found = real(key);
      require(key, "a whole number", found == (int) found);
      return (int) found;
    }

    double real(String key) throws IOException {
      return require(key, "a number", isNumber(object.get(key))).getAsDouble();
    }

    List<String> texts(String key) throws IOException {
      List<String> all = new ArrayList<>();
      for (JsonElement element : array(key)) {
        require(key, "strings", isString(element));
        all.add(element.getAsString());
      }
      return all;
    }

    double[] reals(String key) throws IOException {
      JsonArray array = array(key);
      double[] all = new double[array.size()];
      for (int i = 0; i < all.length; i++) {
        require(key, "numbers", isNumber(array.get(i)));
        all[i] = array.get(i).getAsDouble();
      }
      return all;
    }

    private JsonArray array(String key) throws IOException {
      return require(key, "a list", object.get(key) instanceof JsonArray).getAsJsonArray();
    }

    private JsonElement require(String key, String wanted, boolean good) throws IOException {
      JsonElement found = object.get(key);
      if (!good) {
        String shown = found == null ? "is missing" : "is " + found + ", but must be " + wanted;
        throw damaged(file, path + "." + key + " " + shown, null);
      }
      return found;
    }

    private static boolean isPrimitive(JsonElement found) {
      return found != null && found.isJsonPrimitive();
    }

    private static boolean isString(JsonElement found) {
      return isPrimitive(found) && found.getAsJsonPrimitive().isString();
    }

    private static boolean isNumber(JsonElement found) {
      return isPrimitive(found) && found.getAsJsonPrimitive().isNumber();
    }
  }
}
