package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.store.SafetensorsFile;
import dev.plumb.store.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints and models with other content under a checksum that fits. */
class ChangedFilesTest {
  @TempDir Path folder;
  private Path run;
  private List<SafetensorsFile.Contents> originals;

  @BeforeEach
  void train() throws IOException {
    Path data = Files.writeString(folder.resolve("good.csv"), "a,b,y\n1,2,x\n3,4,z\n5,6,x\n7,8,z\n");
    Plumbed trained = Plumbed.run("train", data.toString(), "--runs", folder.toString(), "--device", "reference", "--epochs", "3",
        "--layers", "2", "--batch-size", "2", "--quiet");
    assertEquals(0, trained.code(), trained.err());
    Path begun = StoppedRun.make(folder.resolve("good-1"), folder.resolve("begun"));
    run = Files.createDirectory(folder.resolve("changed"));
    originals = List.of(SafetensorsFile.read(folder.resolve("good-1/checkpoint.safetensors")),
        SafetensorsFile.read(begun.resolve("checkpoint.safetensors")));
  }

  @Test
  void listsOfAnotherLengthAreRefused() {
    assertResumes(2, "parameters", "it has 11 parameters, but 12 are needed");
    assertResumes(2, "moment1", "it has 11 first moments, but 12 are needed");
    assertResumes(2, "moment2", "it has 11 second moments, but 12 are needed");
    assertResumes(2, "best", "it has 11 best parameters, but 12 are needed");
  }

  private void assertResumes(int code, String shortened, String message) {
    SafetensorsFile.Contents contents = originals.get(0);
    List<Tensor> tensors = new ArrayList<>();
    for (Tensor tensor : contents.tensors()) {
      tensors.add(tensor instanceof Tensor.Reals reals && reals.name().equals(shortened)
          ? reals(reals, Arrays.copyOf(reals.values(), reals.size() - 1)) : tensor);
    }
    Plumbed resumed = resume(contents.texts(), tensors);
    assertEquals("plumb train: " + run.resolve("checkpoint.safetensors") + ": is no checkpoint of this training: " + message
        + "\n",
        resumed.err());
    assertEquals(code, resumed.code());
  }

  @Test
  void checkpointsAreRefusedOrTrainedOn() {
    long seed = 20251128;
    Random random = new Random(seed);
    int refused = 0;
    for (int i = 0; i < 200; i++) {
      SafetensorsFile.Contents original = originals.get(i % 2);
      SortedMap<String, String> texts = new TreeMap<>(original.texts());
      List<Tensor> tensors = new ArrayList<>(original.tensors());
      if (random.nextInt(3) == 0) {
        changeText(texts, random);
      } else {
        int at = random.nextInt(tensors.size());
        tensors.set(at, changed(tensors.get(at), random));
      }
      Plumbed resumed = resume(texts, tensors);
      String context = "seed " + seed + ", number " + i + ": " + resumed.err();
      assertTrue(List.of(0, 1, 2).contains(resumed.code()), context);
      if (resumed.code() == 2) {
        refused++;
        assertEquals(1, resumed.err().lines().count(), context);
      }
    }
    assertTrue(refused > 50 && refused < 190, refused + " were refused");
  }

  @Test
  void modelsAreRefusedOrPredictFrom() {
    long seed = 20251129;
    Random random = new Random(seed);
    SafetensorsFile.Contents original = SafetensorsFile.read(folder.resolve("good-1/model.safetensors"));
    Path model = folder.resolve("changed.safetensors");
    int refused = 0;
    for (int i = 0; i < 200; i++) {
      SortedMap<String, String> texts = new TreeMap<>(original.texts());
      List<Tensor> tensors = new ArrayList<>(original.tensors());
      if (random.nextBoolean()) {
        changeText(texts, random);
      } else {
        int at = random.nextInt(tensors.size());
        tensors.set(at, changed(tensors.get(at), random));
      }
      SafetensorsFile.write(model, texts, tensors);
      Plumbed predicted = Plumbed.run("predict", model.toString(), folder.resolve("good.csv").toString(), "--device",
          "reference");
      String context = "seed " + seed + ", number " + i + ": " + predicted.err();
      assertTrue(List.of(0, 2).contains(predicted.code()), context);
      if (predicted.code() == 2) {
        refused++;
        assertEquals(1, predicted.err().lines().count(), context);
      }
    }
    assertTrue(refused > 50 && refused < 190, refused + " were refused");
  }

  private Plumbed resume(SortedMap<String, String> texts, List<Tensor> tensors) {
    SafetensorsFile.write(run.resolve("checkpoint.safetensors"), texts, tensors);
    return Plumbed.run("train", "--resume", run.toString(), "--quiet");
  }

  private static void changeText(SortedMap<String, String> texts, Random random) {
    List<String> keys = List.copyOf(texts.keySet());
    String key = keys.get(random.nextInt(keys.size()));
    String text = texts.get(key);
    switch (random.nextInt(5)) {
      case 0 -> texts.remove(key);
      case 1 -> texts.put(key, "");
      case 2 -> texts.put(key, text.substring(0, random.nextInt(text.length() + 1)));
      case 3 -> texts.put(key, "\0" + text);
      default -> texts.put(key, texts.get(keys.get(random.nextInt(keys.size()))));
    }
  }

  private static Tensor changed(Tensor tensor, Random random) {
    if (tensor instanceof Tensor.Integers integers) {
      long[] values = Arrays.copyOf(integers.values(), random.nextBoolean() ? 624 : random.nextInt(700));
      Arrays.setAll(values, i -> random.nextInt());
      return new Tensor.Integers(integers.name(), Tensor.Type.I32, List.of(values.length), values);
    }
    Tensor.Reals reals = (Tensor.Reals) tensor;
    double[] values = reals.values().clone();
    if (random.nextInt(3) > 0 && values.length > 0) {
      double[] others = {-1, 0, 1, 2, 3, 0.5, 1e300, 9e15, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 625};
      values[random.nextInt(values.length)] = others[random.nextInt(others.length)];
      return new Tensor.Reals(reals.name(), reals.type(), reals.shape(), values);
    }
    if (reals.shape().size() == 2 && random.nextBoolean()) {
      // Fewer or more rows, or figures a row.
      List<Integer> shape = random.nextBoolean() ? List.of(random.nextInt(5), reals.shape().get(1))
          : List.of(reals.shape().get(0), random.nextInt(10));
      return new Tensor.Reals(reals.name(), reals.type(), shape, Arrays.copyOf(values, shape.get(0) * shape.get(1)));
    }
    return reals(reals, Arrays.copyOf(values, random.nextInt(2 * values.length + 2)));
  }

  private static Tensor reals(Tensor.Reals from, double[] values) {
    return new Tensor.Reals(from.name(), from.type(), List.of(values.length), values);
  }
}
