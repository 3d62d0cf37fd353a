package dev.plumb.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every bad file, option, configuration and model leads to exit code 2 and exactly the expected line; nothing is written. */
class BadInputTest {
  @TempDir Path folder;

  /** Small files that all tests share. */
  private static final Map<String, String> FILES = new TreeMap<>(Map.ofEntries(
      Map.entry("good.csv", "a,b,y\n1,2,x\n3,4,z\n5,6,x\n"),
      Map.entry("numbers.csv", "a,b,y\n1,2,0.5\n3,4,0.25\n5,6,7.5\n"),
      Map.entry("ragged.csv", "a,b,y\n1,2,x\n3,4\n"),
      Map.entry("missing.csv", "a,b,y\n1,2,x\n3,,z\n1,2,x\n"),
      Map.entry("missing-target.csv", "a,b,y\n1,2,x\n3,4,\n1,2,z\n"),
      Map.entry("empty.csv", ""),
      Map.entry("no-line-end.json", "{ \"epochs\": 5, \"grid\": {\"depth\": [1], \"width\": [2]} }"),
      Map.entry("names-only.csv", "a,b,y\n"),
      Map.entry("twice.csv", "a,a,y\n1,2,x\n3,4,z\n"),
      Map.entry("one-class.csv", "a,b,y\n1,2,x\n3,4,x\n"),
      Map.entry("one-row.csv", "a,b,y\n1,2,x\n"),
      Map.entry("infinite.csv", "a,b,y\n1,2,x\n3,inf,z\n"),
      Map.entry("one-column.csv", "a\n1\n2\n"),
      Map.entry("quote.csv", "a,b,y\n1,\"2,x\n3,4,z\n"),
      Map.entry("nul.csv", "a,b,y\n1,\0,x\n3,4,z\n"),
      Map.entry("other.csv", "a,c,y\n1,2,x\n3,4,z\n"),
      Map.entry("word.csv", "a,b,y\n1,2,x\n3,four,z\n"),
      Map.entry("new-class.csv", "a,b,y\n1,2,x\n3,4,w\n"),
      Map.entry("bad.json", "{ \"layers\": [3, }"),
      Map.entry("key.json", "{ \"layrs\": [3] }"),
      Map.entry("type.json", "{ \"epochs\": \"many\" }"),
      Map.entry("range.json", "{\n  \"epochs\": 10,\n  \"learningRate\": -1\n}"),
      Map.entry("optimizer.json", "{ \"optimizer\": { \"type\": \"adam\", \"momentum\": 0.9 } }"),
      Map.entry("schedule.json", "{ \"schedule\": { \"type\": \"step\", \"factor\": 0 } }"),
      Map.entry("warm-up.json", "{ \"epochs\": 5, \"warmUpEpochs\": 6 }"),
      Map.entry("minimum-rate.json", "{ \"schedule\": { \"type\": \"cosine\", \"minimumRate\": 1e39 } }"),
      Map.entry("table-source.json", "{ \"data\": {\"source\": \"tabel\", \"file\": \"x.csv\"} }"),
      Map.entry("table-networks.json", "{ \"data\": {\"source\": \"table\", \"file\": \"x.csv\"}, \"networks\": [] }"),
      Map.entry("class-weights.json", "{ \"classWeights\": {} }"),
      Map.entry("rate.json", "{ \"learningRate\": 1e100, \"networks\": [ {\"layers\": [3,2,1], \"activation\": \"relu\"} ] }"),
      Map.entry("grid-depth.json", "{ \"grid\": { \"depth\": [2000000000], \"width\": [1] } }"),
      Map.entry("grid-rate.json", "{ \"grid\": { \"depth\": [1], \"width\": [2], \"learningRate\": [0.1, 1e-60] } }"),
      Map.entry("not-a-model.safetensors", "these are some words, and no model at all; long enough to have a length")));

  /** Returns pairs of a command and its message after the name of the command; @ is the folder of the files. */
  static Stream<Arguments> bad() throws IOException {
    List<String> lines = Files.readAllLines(Path.of("src/test/resources/cli/bad-inputs.txt"));
    return IntStream.range(0, lines.size() / 3).mapToObj(i -> Arguments.of(lines.get(3 * i), lines.get(3 * i + 1)));
  }


  @BeforeEach
  void writeTheFiles() throws IOException {
    for (Map.Entry<String, String> file : FILES.entrySet()) {
      Files.write(folder.resolve(file.getKey()), file.getValue().getBytes(StandardCharsets.UTF_8));
    }
    Files.write(folder.resolve("latin.csv"), "a,b,y\n1,2,\u00e9\n3,4,z\n".getBytes(StandardCharsets.ISO_8859_1));
    Path run = folder.resolve("good-1");
    Plumbed trained = Plumbed.run("train", folder.resolve("good.csv").toString(), "--runs", folder.toString(), "--device",
        "reference",
        "--epochs", "1", "--layers", "2", "--quiet");
    assertEquals(0, trained.code(), trained.err());
    byte[] model = Files.readAllBytes(run.resolve("model.safetensors"));
    Files.write(folder.resolve("cut.safetensors"), Arrays.copyOf(model, model.length - 9));
    model[model.length - 1] ^= 1;
    Files.write(folder.resolve("flipped.safetensors"), model);
    Files.createDirectory(folder.resolve("cut"));
    byte[] checkpoint = Files.readAllBytes(run.resolve("checkpoint.safetensors"));
    Files.write(folder.resolve("cut/checkpoint.safetensors"), Arrays.copyOf(checkpoint, checkpoint.length / 2));
    Files.createDirectory(folder.resolve("begun"));
    Files.write(folder.resolve("begun/checkpoint.safetensors"), checkpoint);
  }

  @ParameterizedTest
  @MethodSource("bad")
  void badInputIsReportedInOneLineAndNothingIsWritten(String command, String line) throws IOException {
    List<String> before = FolderContents.of(folder);
    Plumbed ran = Plumbed.run(command.replace("@", folder.toString()).split(" "));
    assertEquals("plumb " + command.split(" ")[0] + ": " + line.replace("@", folder.toString()) + "\n", ran.err());
    assertEquals(2, ran.code());
    assertEquals("", ran.out());
    assertEquals(before, FolderContents.of(folder));
  }
}
