package dev.plumb.fuzz;

import dev.plumb.study.StudySpecReader;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainConfigJson;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Configurations and studies that are damaged, or pieces of such. */
class JsonFuzzTest {
  private static final int INPUTS = 3000;

  @TempDir Path folder;

  @Test
  void configurationsAreReadOrRefused() {
    List<byte[]> valid = bytes("{}", TrainConfigJson.text(TrainConfig.DEFAULT), """
        { "targets": ["y", "z"], "features": ["a"], "task": "classification", "standardize": false, "missing": "mean",
          "layers": [7, 5], "activation": "silu", "dropout": 0.3, "loss": "binary_cross_entropy", "batchSize": null,
          "optimizer": { "type": "adam", "beta1": 0.8, "epsilon": 1e-6, "amsgrad": true, "weightDecay": 0.2 },
          "schedule": { "type": "plateau", "patience": 3, "factor": 0.2 }, "warmUpEpochs": 2, "epochs": 9, "seed": 4294967295 }
        """);
    Path file = folder.resolve("config.json");
    Fuzzing.run("TrainConfigJson", INPUTS, input(valid, "\"layers\"", "\"epochs\"", "\"optimizer\"", "\"type\"", "\"adam\""),
        (input, random) -> {
          Files.write(file, input);
          TrainConfig config = TrainConfigJson.read(file);
          TrainConfigJson.parse(TrainConfigJson.text(config));
        });
  }

  @Test
  void studiesAreReadOrRefused() {
    List<byte[]> valid = bytes("{\"networks\": [{\"layers\": [3, 1], \"activation\": \"tanh\"}]}", """
        { "name": "seed 7", "data": {"source": "notebook", "samples": 400}, "seed": 7,
          "initializer": "notebook", "loss": "mse", "optimizer": {"type": "sgd", "momentum": 0.9},
          "clipNorm": 1.0, "learningRate": 0.02, "epochs": 700, "batchSize": 32, "shuffle": true, "dropout": 0.1,
          "lossAtEpochs": [200, 300],
          "networks": [ {"name": "Tanh", "layers": [3,5,7,1], "activation": "tanh"},
                        {"name": "Relu", "layers": [3,5,7,1], "activation": "relu"} ] }
        """, """
        { "epochs": 2, "initializer": "he_uniform",
          "grid": {"depth": [1,2,4,8], "width": [4,8], "activation": ["relu","sigmoid"],
                   "initializer": ["notebook","he_uniform"], "learningRate": [0.01,0.1], "seeds": 100} }
        """);
    Path file = folder.resolve("spec.json");
    Fuzzing.run("StudySpecReader", INPUTS, input(valid, "\"networks\"", "\"grid\"", "\"layers\"", "\"depth\"", "\"width\""),
        (input, random) -> {
          Files.write(file, input);
          StudySpecReader.StudyFile study = StudySpecReader.readFile(file);
          if (study.grid().isPresent()) {
            study.gridStudy();
          }
        });
  }

  private static Function<Random, byte[]> input(List<byte[]> valid, String... words) {
    String[] pieces = Stream.concat(
        Stream.of("{", "}", "[", "]", ":", ",", "1", "\"", "null", "true", " ", "\n", "\\u00e9", "\\", "\ud83d\ude00"),
        Stream.of(words)).toArray(String[]::new);
    return random -> random.nextInt(8) == 0 ? Mutations.text(random, pieces) : Mutations.changed(valid, random);
  }

  private static List<byte[]> bytes(String... texts) {
    return Stream.of(texts).map(text -> text.getBytes(StandardCharsets.UTF_8)).toList();
  }
}
