package dev.plumb.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.OptimizerSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StudySpecReaderTest {
  private static final String NETWORKS = "\"networks\": [{\"layers\": [3,4,1], \"activation\": \"relu\"}]";

  @TempDir Path folder;

  @Test
  void readsEveryKey() {
    StudySpec spec = read("""
        { "name": "seed 7", "data": {"source": "notebook", "samples": 99}, "seed": 7, "initializer": "he_normal",
          "loss": "huber", "optimizer": {"type": "adamw", "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-6, "weightDecay": 0.1},
          "clipNorm": 2.5, "learningRate": 0.02, "epochs": 700, "batchSize": 16, "shuffle": false, "dropout": 0.25,
          "lossAtEpochs": [300, 100, 300],
          "networks": [ {"name": "Tanh", "layers": [3,5,7,1], "activation": "tanh"} ] }""");
    assertEquals("seed 7", spec.name());
    assertEquals(99, spec.samples());
    assertEquals(7, spec.seed());
    assertEquals(Initializer.HE_NORMAL, spec.initializer());
    assertEquals(Loss.HUBER, spec.training().loss());
    assertEquals(new OptimizerSpec.Adam(0.8, 0.9, 1e-6, 0.1, true), spec.training().optimizer());
    assertEquals(OptionalDouble.of(2.5), spec.training().clipNorm());
    assertEquals(0.02, spec.training().learningRate());
    assertEquals(700, spec.training().epochs());
    assertEquals(OptionalInt.of(16), spec.training().batchSize());
    assertEquals(Optional.of(new Dropout(0.25, 7)), spec.training().dropout(), "with the seed of the study");
    assertEquals(Optional.of(new Dropout(0.25, 8)), spec.withSeed(8).training().dropout());
    assertEquals(false, spec.shuffle());
    assertEquals(List.of(100, 300), spec.lossAtEpochs());
    assertEquals(List.of(new StudyNetwork("Tanh", NetworkSpec.of(Activation.TANH, 3, 5, 7, 1))), spec.networks());
  }

  @Test
  void whatIsLeftOutIsAsInTheNotebook() {
    StudySpec spec = read("{" + NETWORKS + "}");
    StudySpec notebook = StudySpec.notebook();
    assertEquals(notebook.training(), spec.training());
    assertEquals(notebook.samples(), spec.samples());
    assertEquals(notebook.seed(), spec.seed());
    assertEquals(notebook.initializer(), spec.initializer());
    assertEquals(notebook.lossAtEpochs(), spec.lossAtEpochs());
    assertEquals("3-4-1 relu", spec.networks().get(0).name());
    assertEquals(List.of(), read("{\"epochs\": 100, " + NETWORKS + "}").lossAtEpochs(), "200 is not among 100 epochs");
    assertEquals(OptionalInt.empty(), read("{\"batchSize\": null, " + NETWORKS + "}").training().batchSize());
  }

  @Test
  void everyOptimizerHasItsDefaultsAndItsKeys() {
    for (OptimizerSpec.Kind kind : OptimizerSpec.Kind.values()) {
      StudySpec spec = read("{\"optimizer\": {\"type\": \"" + kind.key() + "\"}, " + NETWORKS + "}");
      assertEquals(OptimizerSpec.defaultOf(kind), spec.training().optimizer());
    }
    assertEquals(new OptimizerSpec.Sgd(0.9, true, 0.5),
        read("{\"optimizer\": {\"type\": \"sgd\", \"momentum\": 0.9, \"nesterov\": true, \"weightDecay\": 0.5}, " + NETWORKS + "}")
            .training().optimizer());
    assertEquals(new OptimizerSpec.RmsProp(0.5, 1e-5, 0.1),
        read("{\"optimizer\": {\"type\": \"rmsprop\", \"alpha\": 0.5, \"epsilon\": 1e-5, \"weightDecay\": 0.1}, " + NETWORKS + "}")
            .training().optimizer());
    assertEquals(new OptimizerSpec.Adam(0.5, 0.6, 1e-5, 0.1, false),
        read("{\"optimizer\": {\"type\": \"adam\", \"beta1\": 0.5, \"beta2\": 0.6, \"epsilon\": 1e-5, \"weightDecay\": 0.1}, "
            + NETWORKS + "}").training().optimizer());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "'epoch': 5 | epoch, line 1: unknown key \"epoch\" (did you mean \"epochs\"?); known keys: batchSize",
    "'epochs': -1 | epochs, line 1: epochs -1 must be at least 1",
    "'epochs': 0 | epochs 0 must be at least 1",
    "'epochs': 'ten' | epochs, line 1: must be a whole number, not \"ten\"",
    "'learningRate': NaN | learningRate NaN must be a finite number of at least 0",
    "'learningRate': -0.1 | learningRate -0.1 must be",
    "'learningRate': 'fast' | learningRate, line 1: must be a number, not \"fast\"",
    "'batchSize': 401 | batchSize 401 is larger than the data, which has 400 rows",
    "'batchSize': 0 | batchSize 0 must be at least 1",
    "'dropout': 1 | dropout, line 1: dropout 1.0 must be at least 0 and below 1",
    "'dropout': 'half' | dropout, line 1: must be a number, not \"half\"",
    "'seed': -1 | seed -1 must lie between 0 and 4294967295",
    "'seed': 4294967296 | seed 4294967296 must lie between",
    "'seed': 1.5 | seed, line 1: must be a whole number, not 1.5",
    "'loss': 'mean' | loss, line 1: unknown loss \"mean\"",
    "'initializer': 'he' | initializer, line 1: unknown initializer \"he\"",
    "'optimizer': {'type': 'adm'} | optimizer.type, line 1: unknown optimizer \"adm\" (did you mean \"adam\"?)",
    "'optimizer': {'momentum': 0.9} | spec.json: optimizer, line 1: the key \"type\" is missing",
    "'optimizer': 'adam' | optimizer, line 1: must be an object, not \"adam\"",
    "'optimizer': {'type': 'sgd', 'beta1': 0.9} | optimizer.beta1, line 1: unknown key \"beta1\"",
    "'optimizer': {'type': 'sgd', 'momentum': 2} | optimizer.momentum, line 1: momentum 2.0 must be",
    "'clipNorm': 0 | clipNorm 0.0 must be a finite number above 0",
    "'data': {'source': 'mnist'} | data.source, line 1: unknown source \"mnist\"",
    "'data': {'samples': 0} | data.samples, line 1: samples 0 must lie between 1",
    "'data': {'sample': 9} | data.sample, line 1: unknown key \"sample\" (did you mean \"samples\"?)",
    "'lossAtEpochs': [1001] | lossAtEpochs 1001 must lie between 1 and the 1000 epochs",
    "'lossAtEpochs': 200 | lossAtEpochs, line 1: must be a list, not 200",
    "'shuffle': 1 | shuffle, line 1: must be true or false, not 1",
  })
  void badValuesGetOneLineWithTheirPlace(String fault, String part) {
    assertRefused("{" + fault.replace('\'', '"') + ", " + NETWORKS + "}", part);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "[] | networks is empty",
    "[{'layers': [3], 'activation': 'relu'}] | networks[0].layers, line 1: layers [3]: at least two widths are needed",
    "[{'layers': [3,0,1], 'activation': 'relu'}] | networks[0].layers, line 1: layers [3, 0, 1]: width 0 at position 2",
    "[{'layers': [3,1.5,1], 'activation': 'relu'}] | networks[0].layers[1], line 1: must be a whole number, not 1.5",
    "[{'layers': [3,1], 'activation': 'rleu'}] | networks[0].activation, line 1: unknown activation \"rleu\" (did you mean \"relu\"?); one of linear",
    "[{'layers': [3,1]}] | networks[0], line 1: the key \"activation\" is missing",
    "[{'activation': 'relu'}] | networks[0], line 1: the key \"layers\" is missing",
    "[{'layer': [3,1], 'activation': 'relu'}] | networks[0].layer, line 1: unknown key \"layer\" (did you mean \"layers\"?)",
    "[{'layers': [3,1], 'activation': 'relu', 'normalization': 'bach'}] | networks[0].normalization, line 1: unknown normalization"
        + " \"bach\" (did you mean \"batch\"?); one of none, batch, layer",
    "[{'layers': [3,1], 'activation': 'relu', 'residual': 'yes'}] | networks[0].residual, line 1: must be true or false, not \"yes\"",
    "[[3,1]] | networks[0], line 1: must be an object, not a list",
    "{} | networks, line 1: must be a list, not an object",
    "null | the key \"networks\" is missing",
  })
  void badNetworksGetOneLineWithTheirPlace(String networks, String part) {
    assertRefused("{\"networks\": " + networks.replace('\'', '"') + "}", part);
  }

  @Test
  void rangeErrorsNameTheLineOfTheirKey() {
    assertRefused("{\n\"epochs\": 5,\n\n\"learningRate\": -1,\n" + NETWORKS + "}", "learningRate, line 4: learningRate -1.0");
    assertRefused("{\n\"data\": {\n\"samples\": 0},\n" + NETWORKS + "}", "data.samples, line 3: samples 0");
    assertRefused("{\n\"epochs\": 5,\n\"seed\": -1,\n" + NETWORKS + "}", "seed, line 3: seed -1");
    assertRefused("{\n\"epochs\": 5,\n\"lossAtEpochs\": [6],\n" + NETWORKS + "}", "lossAtEpochs, line 3: lossAtEpochs 6");
    assertRefused("{\"seed\": 99999999999999999999, " + NETWORKS + "}", "seed 9223372036854775807 must lie between");
    assertRefused("{\"epochs\": 99999999999999999999, " + NETWORKS + "}", "epochs, line 1: must be between -2147483648 and");
  }

  @Test
  void networksHaveANormalizationAndResidualConnections() {
    StudySpec spec = read("{\"networks\": [{\"layers\": [3,4,1], \"activation\": \"relu\", \"normalization\": \"batch\", \"residual\": true},"
        + " {\"layers\": [3,4,1], \"activation\": \"relu\"}]}");
    assertEquals(new StudyNetwork("3-4-1 relu, batch normalization",
        NetworkSpec.of(Activation.RELU, 3, 4, 1).withNormalization(Normalization.BATCH).withResidual(true)), spec.networks().get(0));
    assertTrue(spec.networks().get(1).network().isPlain());
  }

  @Test
  void gridHasEveryNormalizationWithAndWithoutResiduals() {
    List<Study.Cell> cells = cells("\"normalization\": [\"none\", \"batch\", \"layer\"], \"residual\": [false, true]");
    assertEquals(List.of("3-4-1 relu", "3-4-4-1 relu", "3-4-1 relu residual", "3-4-4-1 relu residual", "3-4-1 relu batch",
        "3-4-4-1 relu batch", "3-4-1 relu batch residual", "3-4-4-1 relu batch residual", "3-4-1 relu layer", "3-4-4-1 relu layer",
        "3-4-1 relu layer residual", "3-4-4-1 relu layer residual"), cells.stream().map(Study.Cell::name).toList());
    assertEquals(NetworkSpec.of(Activation.RELU, 3, 4, 4, 1).withNormalization(Normalization.LAYER).withResidual(true),
        cells.get(11).network());
    assertEquals(12, cells.stream().map(Study.Cell::network).distinct().count());
    List<Study.Cell> single = cells("\"normalization\": \"batch\", \"residual\": true");
    assertEquals(List.of("3-4-1 relu", "3-4-4-1 relu"), single.stream().map(Study.Cell::name).toList());
    assertEquals(Normalization.BATCH, single.get(0).network().normalization());
    assertTrue(single.get(0).network().residual());
    assertTrue(cells("\"seeds\": 1").get(0).network().isPlain());
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "'normalization': ['bach'] | grid.normalization, line 1: unknown normalization \"bach\" (did you mean \"batch\"?); one of none",
    "'normalization': true | grid.normalization, line 1: must be a list, not true",
    "'normalization': [] | grid.normalization, line 1: normalization is empty; at least one value is needed",
    "'residual': [1] | grid.residual[0], line 1: must be true or false, not 1",
    "'residual': [true, true] | grid.residual, line 1: residual [true, true] holds a value twice",
  })
  void badNormalizationsOfGridsGetOneLineWithTheirPlace(String fault, String part) {
    String message = assertThrows(InvalidInputException.class, () -> cells(fault.replace('\'', '"'))).getMessage();
    assertTrue(message.startsWith(part), message);
  }

  private static List<Study.Cell> cells(String keys) {
    return StudySpecReader.parse("{\"grid\": {\"depth\": [1, 2], \"width\": [4], " + keys + "}}").gridStudy().cells();
  }

  private void assertRefused(String json, String part) {
    String message = assertThrows(InvalidInputException.class, () -> read(json)).getMessage();
    assertTrue(message.contains(part), message);
    assertTrue(message.startsWith(folder.toString()), "the file is named: " + message);
    assertEquals(1, message.lines().count(), message);
  }

  private StudySpec read(String json) {
    try {
      return StudySpecReader.read(Files.writeString(folder.resolve("spec.json"), json));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
