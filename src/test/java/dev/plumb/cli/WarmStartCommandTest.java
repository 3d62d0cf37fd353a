package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code plumb train --from}. */
class WarmStartCommandTest {
  @TempDir Path folder;
  private Path first;
  private Path more;
  private Path third;

  @BeforeEach
  void writeTables() throws IOException {
    first = write("first.csv", 2, "red", "blue");
    more = write("more.csv", 2, "red", "green");
    third = write("third.csv", 3, "red", "blue");
  }

  private Path write(String name, int classes, String... colors) throws IOException {
    StringBuilder text = new StringBuilder("size,color,kind\n");
    for (int row = 0; row < 60; row++) {
      text.append(row * 7 % 19).append(',').append(colors[row % colors.length]).append(",k").append(row * 7 % 19 * classes / 19).append('\n');
    }
    return Files.writeString(folder.resolve(name), text);
  }

  private Plumbed train(Path data, String... options) {
    List<String> command = new ArrayList<>(List.of("train", data.toString(), "--runs", folder.resolve("runs").toString(),
        "--device", "reference", "--epochs", "2", "--validation", "0"));
    command.addAll(List.of(options));
    return Plumbed.run(command.toArray(String[]::new));
  }

  private Path run(String name) {
    return folder.resolve("runs").resolve(name);
  }

  @Test
  void trainingContinuesWithTheModelsNetworkAndEncoding() throws IOException {
    assertEquals(0, train(first, "--layers", "5,4", "--activation", "tanh").code());
    Path model = run("first-1").resolve("model.safetensors");
    Plumbed tuned = train(more, "--from", run("first-1").toString());
    assertEquals(0, tuned.code(), tuned.err());
    assertTrue(tuned.out().contains("network: 3-5-4-2 tanh"), tuned.out());
    assertTrue(tuned.out().contains("start: parameters of " + model + "\n"), tuned.out());
    assertTrue(tuned.err().contains("training rows: ") && tuned.err().contains("30"), "unknown color green: " + tuned.err());
    JsonNode manifest = new ObjectMapper().readTree(run("more-1").resolve("manifest.json").toFile());
    assertTrue(manifest.toString().contains("\"from\""), manifest.toString());
    // The model file itself serves as well.
    assertEquals(0, train(first, "--from", model.toString(), "--quiet").code());
  }

  @Test
  void newClassesGetANewOutputLayer() {
    assertEquals(0, train(first, "--layers", "5").code());
    Plumbed tuned = train(third, "--from", run("first-1").toString());
    assertEquals(0, tuned.code(), tuned.err());
    assertTrue(tuned.out().contains("; a new output layer, because its classes differ\n"), tuned.out());
    assertTrue(tuned.out().contains("network: 3-5-3 relu"), tuned.out());
  }

  @Test
  void printConfigHasTheModelsNetwork() {
    assertEquals(0, train(first, "--layers", "5,4", "--activation", "tanh").code());
    Plumbed printed = train(more, "--from", run("first-1").toString(), "--print-config");
    assertTrue(printed.out().contains("\"tanh\"") && printed.out().replaceAll("\\s", "").contains("\"layers\":[5,4]"), printed.out());
  }

  @Test
  void otherNetworksAreRefused() {
    assertEquals(0, train(first, "--layers", "5").code());
    // Also if the value is the default.
    for (String[] option : new String[][] {{"--layers", "100,100"}, {"--activation", "relu"}, {"--no-residual"},
        {"--categorical", "color"}}) {
      List<String> options = new ArrayList<>(List.of("--from", run("first-1").toString()));
      options.addAll(List.of(option));
      Plumbed refused = train(more, options.toArray(String[]::new));
      assertEquals(2, refused.code());
      assertEquals("plumb train: " + option[0] + ": with --from it is that of the model; omit the option\n", refused.err());
    }
    Plumbed refused = train(more, "--from", run("first-1").toString(), "--config", "{\"layers\":[7]}");
    assertEquals(2, refused.code());
    assertEquals("plumb train: --from: layers: [7] is not that of the model to start from, [5]; omit it\n", refused.err());
    Plumbed none = train(more, "--from", folder.resolve("none").toString());
    assertEquals(2, none.code());
    assertTrue(none.err().contains("none: there is no such file"), none.err());
  }

  /** A resumed run checks that the model is still the one that it started from. */
  @Test
  void resumingChecksTheModel() throws IOException {
    assertEquals(0, train(first, "--layers", "5").code());
    assertEquals(0, train(more, "--from", run("first-1").toString()).code());
    assertEquals(0, Plumbed.run("train", "--resume", run("more-1").toString()).code());
    assertEquals(0, train(first, "--layers", "5", "--seed", "9").code());
    Path model = run("first-1").resolve("model.safetensors");
    Files.copy(run("first-2").resolve("model.safetensors"), model, StandardCopyOption.REPLACE_EXISTING);
    Plumbed refused = Plumbed.run("train", "--resume", run("more-1").toString());
    assertEquals(2, refused.code());
    assertTrue(refused.err().contains(model + ": the file has changed since the run started"), refused.err());
  }
}
