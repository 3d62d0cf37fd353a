package dev.plumb.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.data.FeatureColumn;
import dev.plumb.data.TableEncoding;
import dev.plumb.data.TargetEncoding;
import dev.plumb.model.Activation;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.Precision;
import dev.plumb.random.NumpyRandom;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ModelFileTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void everyActivationAndKindOfColumnComesBack(Activation activation) {
    TargetEncoding numbers = Models.numbers(3);
    roundTrip(Models.model(activation, Loss.HUBER, Precision.FP64, new TableEncoding(Models.mixedColumns(), numbers), 5, 4));
    roundTrip(Models.model(activation, Loss.MSE, Precision.TF32, new TableEncoding(Models.numericColumns(4), numbers)));
    roundTrip(Models.model(activation, Loss.CROSS_ENTROPY, Precision.FP32,
        new TableEncoding(Models.mixedColumns(), Models.classes(4), Optional.of(List.of("-", "n, a")),
            Optional.of(false)), 1));
    roundTrip(Models.model(activation, Loss.BINARY_CROSS_ENTROPY, Precision.BF16,
        new TableEncoding(Models.numericColumns(1), Models.classes(2)), 2));
  }

  @ParameterizedTest
  @EnumSource
  void everyNormalizationComesBackWithAndWithoutResiduals(Normalization normalization) {
    for (boolean residual : new boolean[] {false, true}) {
      roundTrip(Models.model(Activation.RELU, normalization, residual, Loss.MSE, Precision.FP64,
          new TableEncoding(Models.numericColumns(4), Models.numbers(2)), 4, 4, 3));
      roundTrip(Models.model(Activation.TANH, normalization, residual, Loss.CROSS_ENTROPY, Precision.FP32,
          new TableEncoding(Models.mixedColumns(), Models.classes(3))));
    }
  }

  @Test
  void normalizationsHaveTheNamesOfPytorchAndPlainNetworksNoFurtherText() {
    TableEncoding encoding = new TableEncoding(Models.numericColumns(2), Models.numbers(1));
    assertEquals(List.of("0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "3.weight", "3.bias"),
        names(normalized(Normalization.BATCH, false, encoding)));
    assertEquals(List.of("0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias"),
        names(normalized(Normalization.LAYER, false, encoding)));
    assertEquals(List.of("layers.0.linear.weight", "layers.0.linear.bias", "layers.0.norm.weight", "layers.0.norm.bias",
        "layers.0.norm.running_mean", "layers.0.norm.running_var", "layers.1.linear.weight", "layers.1.linear.bias"),
        names(normalized(Normalization.BATCH, true, encoding)));
    assertEquals(List.of("layers.0.linear.weight", "layers.0.linear.bias", "layers.1.linear.weight", "layers.1.linear.bias"),
        names(normalized(Normalization.NONE, true, encoding)));
  }

  @Test
  void damagedNormalizationIsRefused() throws IOException {
    TableEncoding encoding = new TableEncoding(Models.numericColumns(2), Models.numbers(1));
    assertFalse(ModelFile.texts(normalized(Normalization.NONE, false, encoding)).keySet().stream()
        .anyMatch(key -> key.equals("plumb.normalization") || key.equals("plumb.residual")));
    TrainedModel batch = normalized(Normalization.BATCH, false, encoding);
    List<Tensor.Reals> tensors = ModelFile.tensors(batch);
    List<Tensor.Reals> without = new ArrayList<>(tensors);
    without.remove(4);
    wrong(batch, "a", "b", without, "has no tensor \"1.running_mean\"; layers [2, 3, 1] need [3]");
    wrong(batch, "a", "b", with(tensors, 2, "1.weight", List.of(2), 2),
        "tensor \"1.weight\" has the shape [2]; layers [2, 3, 1] need [3]");
    wrong(batch, "plumb.normalization", "layer", tensors,
        "has a tensor \"1.running_mean\", which no layer of [2, 3, 1] needs");
    wrong(batch, "plumb.normalization", "bach", tensors,
        "plumb.normalization: unknown normalization \"bach\" (did you mean \"batch\"?); one of none, batch, layer");
    wrong(batch, "plumb.residual", "yes", tensors, "plumb.residual: must be true or false, not \"yes\"");
    wrong(batch, "plumb.residual", "true", tensors, "has no tensor \"layers.0.linear.weight\", the first layer's");
    double[] parameters = batch.parameters().clone();
    parameters[parameters.length - 2] = -1;
    assertEquals("layers.0.norm.running_var[1] is -1.0; a variance must be at least 0",
        message(batch, batch.network(), Precision.FP64, parameters));
  }

  private static TrainedModel normalized(Normalization normalization, boolean residual, TableEncoding encoding) {
    return Models.model(Activation.RELU, normalization, residual, Loss.MSE, Precision.FP64, encoding, 3);
  }

  private static List<String> names(TrainedModel model) {
    return ModelFile.tensors(model).stream().map(Tensor::name).toList();
  }

  @Test
  void shortenedFileIsRefusedAtEveryLength() throws IOException {
    byte[] whole = bytes(Models.small(Precision.FP32));
    for (int length = 0; length < whole.length; length++) {
      refused(Arrays.copyOf(whole, length), "length " + length);
    }
    for (int more : new int[] {1, 7, 8, 4096}) {
      refused(Arrays.copyOf(whole, whole.length + more), more + " bytes more");
    }
  }

  @Test
  void anyFlippedBitIsRefused() throws IOException {
    byte[] whole = bytes(Models.small(Precision.FP64));
    NumpyRandom random = new NumpyRandom(1);
    for (int i = 0; i < 1000; i++) {
      int bit = (int) random.uniform(0, 8.0 * whole.length);
      byte[] flipped = whole.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      refused(flipped, "bit " + bit);
    }
  }

  @Test
  void anyFlippedBitOfTheLengthAndTheSealIsRefused() throws IOException {
    byte[] whole = bytes(Models.small(Precision.FP32));
    for (int bit = 0; bit < 8 * 120; bit++) {
      byte[] flipped = whole.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      refused(flipped, "bit " + bit);
    }
  }

  @Test
  void pytorchFindsTheKeysAndShapesOfItsSequential() throws IOException {
    TrainedModel model = Models.model(Activation.RELU, Loss.CROSS_ENTROPY, Precision.FP32,
        new TableEncoding(Models.numericColumns(4), Models.classes(3)), 16, 5);
    ByteBuffer file = ByteBuffer.wrap(bytes(model)).order(ByteOrder.LITTLE_ENDIAN);
    int headerBytes = (int) file.getLong();
    JsonNode header = new ObjectMapper().readTree(file.array(), 8, headerBytes);
    List<String> shapes = new ArrayList<>();
    header.properties().forEach(entry -> {
      if (!entry.getKey().equals("__metadata__")) {
        shapes.add(entry.getKey() + " " + entry.getValue().get("dtype").asText() + " " + entry.getValue().get("shape"));
      }
    });
    assertEquals(List.of("0.weight F32 [16,4]", "0.bias F32 [16]", "2.weight F32 [5,16]", "2.bias F32 [5]",
        "4.weight F32 [3,5]", "4.bias F32 [3]"), shapes);
    // The flat vector is W [out x in] row by row, then b, layer by layer; so are the tensors.
    int begin = 8 + headerBytes + header.at("/2.weight/data_offsets/0").asInt();
    assertEquals((float) model.parameters()[16 * 4 + 16 + 1], file.getFloat(begin + Float.BYTES));
    header.get("__metadata__").forEach(text -> assertTrue(text.isTextual(), "other readers want texts alone"));
  }

  @Test
  void indicatorsOfMissingValuesAreReadAsTheyWereWritten() throws IOException {
    FeatureColumn number = new FeatureColumn.Numeric("a", 1, 2, OptionalDouble.of(3), true);
    FeatureColumn text = new FeatureColumn.Categorical("b", List.of("x"), Optional.empty(), true);
    TrainedModel model = Models.model(Activation.RELU, Loss.MSE, Precision.FP32, new TableEncoding(List.of(number, text),
        Models.numbers(1)), 3);
    assertEquals(4, model.network().inputs());
    roundTrip(model);
    assertFalse(ModelFile.texts(Models.small(Precision.FP32)).get("plumb.encoding").contains("indicator"));
  }

  @Test
  void sameModelGivesTheSameBytes() throws IOException {
    assertArrayEquals(bytes(Models.small(Precision.FP32)), bytes(Models.small(Precision.FP32)));
  }

  @Test
  void sealedFileThatIsNoModelIsRefusedWithWhatIsMissing() {
    TrainedModel model = Models.small(Precision.FP64);
    List<Tensor.Reals> tensors = ModelFile.tensors(model);
    wrong(model, "plumb.format", null, tensors, "has no plumb.format in its header; it is not a model");
    wrong(model, "plumb.format", "model 2", tensors,
        "has the format \"model 2\"; this version of Plumb expects \"model 1\" here");
    wrong(model, "plumb.loss", null, tensors, "has no plumb.loss in its header");
    wrong(model, "plumb.loss", "rmse", tensors,
        "plumb.loss: unknown loss \"rmse\" (did you mean \"mse\"?); one of mse, mae, huber, cross_entropy, binary_cross_entropy");
    wrong(model, "plumb.loss", "mse", tensors, "loss mse is for numbers, but the targets are classes");
    wrong(model, "plumb.encoding", "{}", tensors, "plumb.encoding: line 1: the key \"features\" is missing");
    wrong(model, "plumb.encoding", "{\"features\":[{\"name\":\"a\",\"mean\":0,\"scale\":0}]}", tensors,
        "plumb.encoding: features[0].scale, line 1: must be above 0, not 0.0");
    wrong(model, "plumb.encoding", "{\"features\":[{\"name\":\"a\",\"mean\":0,\"scale\":1,\"indicator\":true}]}", tensors,
        "plumb.encoding: features[0].indicator, line 1: needs \"fill\", the number in place of a missing one");
    wrong(model, "plumb.encoding", "{\"features\":[{\"name\":\"a\",\"categories\":[\"b\"],\"fill\":\"b\",\"indicator\":true}]}", tensors,
        "plumb.encoding: features[0].indicator, line 1: cannot be combined with \"fill\"");
    wrong(model, "plumb.encoding", "{\"features\":[{\"name\":\"a\",\"mean\":0,\"scale\":1}],"
        + "\"target\":{\"name\":\"b\",\"classes\":[\"x\",\"y\"]}}", tensors, "the network has 2 inputs, but its columns are encoded as 1");
    wrong(model, "a", "b", tensors.subList(0, 3), "has no tensor \"2.bias\"; layers [2, 3, 2] need [2]");
    wrong(model, "a", "b", tensors.subList(1, 4), "has no tensor \"0.weight\", the first layer's");
    wrong(model, "a", "b", with(tensors, 4, "4.bias", List.of(1), 1),
        "has a tensor \"4.bias\", which no layer of [2, 3, 2] needs");
    wrong(model, "a", "b", with(tensors, 2, "2.weight", List.of(2, 2), 4),
        "tensor \"2.weight\" has the shape [2, 2]; layers [2, 3, 2] need [2, 3]");
    wrong(model, "a", "b", with(tensors, 2, "2.weight", List.of(6), 6),
        "tensor \"2.weight\" has the shape [6]; weights are [outputs, inputs]");
  }

  @Test
  void modelThatNothingCanBePredictedFromIsNoModel() {
    TrainedModel model = Models.small(Precision.FP32);
    double[] parameters = model.parameters().clone();
    parameters[4] = 1e39;
    assertEquals("layers.0.weight[2,0] is 1.0E39; the training diverged, and the model cannot predict",
        message(model, model.network(), Precision.FP32, parameters));
    parameters[4] = Double.NaN;
    assertEquals("layers.0.weight[2,0] is NaN; the training diverged, and the model cannot predict",
        message(model, model.network(), Precision.FP64, parameters));
    assertEquals("3 parameters for a network of 17", message(model, model.network(), Precision.FP64, new double[3]));
    assertEquals("the network has 3 outputs, but its targets are encoded as 2",
        message(model, NetworkSpec.of(Activation.RELU, 2, 3), Precision.FP64, parameters));
  }

  private static String message(TrainedModel model, NetworkSpec network, Precision precision, double[] parameters) {
    return assertThrows(InvalidInputException.class,
        () -> new TrainedModel(network, model.loss(), precision, model.encoding(), parameters, model.manifest())).getMessage();
  }

  private void wrong(TrainedModel model, String key, String text, List<Tensor.Reals> tensors, String message) {
    try {
      SortedMap<String, String> texts = new TreeMap<>(ModelFile.texts(model));
      texts.put(key, text);
      texts.values().removeIf(value -> value == null);
      Path file = folder.resolve("wrong.safetensors");
      SafetensorsFile.write(file, texts, tensors);
      assertEquals(file + ": " + message, assertThrows(InvalidInputException.class, () -> ModelFile.read(file)).getMessage());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static List<Tensor.Reals> with(List<Tensor.Reals> tensors, int index, String name, List<Integer> shape, int size) {
    List<Tensor.Reals> changed = new ArrayList<>(tensors);
    if (index < changed.size()) {
      changed.remove(index);
    }
    changed.add(index, new Tensor.Reals(name, Tensor.Type.F64, shape, new double[size]));
    return changed;
  }

  private void roundTrip(TrainedModel model) {
    Path file = folder.resolve("model.safetensors");
    ModelFile.write(file, model);
    TrainedModel read = ModelFile.read(file);
    assertEquals(model.network(), read.network());
    assertEquals(model.loss(), read.loss());
    assertEquals(model.precision(), read.precision());
    assertEquals(model.encoding(), read.encoding());
    assertEquals(model.manifest(), read.manifest());
    assertArrayEquals(model.parameters(), read.parameters());
  }

  private byte[] bytes(TrainedModel model) throws IOException {
    Path file = folder.resolve("bytes.safetensors");
    ModelFile.write(file, model);
    return Files.readAllBytes(file);
  }

  private void refused(byte[] bytes, String what) throws IOException {
    Path file = Files.write(folder.resolve("damaged.safetensors"), bytes);
    String message = assertThrows(InvalidInputException.class, () -> ModelFile.read(file), what).getMessage();
    boolean clear = message.startsWith(file + ": is ") && message.lines().count() == 1 && message.length() < 300;
    assertTrue(clear, what + ": " + message);
  }
}
