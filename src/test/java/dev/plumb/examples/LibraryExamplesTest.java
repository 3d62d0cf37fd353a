package dev.plumb.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.Plumb;
import dev.plumb.train.TrainConfig;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of the site's page on the library. */
class LibraryExamplesTest {
  private static final Path IRIS = Path.of("src/test/resources/tables/iris.csv");

  @TempDir Path folder;

  @Test
  void serviceClassifiesRows() {
    Path file = folder.resolve("model.safetensors");
    Plumb.train(Plumb.read(IRIS), TrainConfig.DEFAULT, "cpu").save(file);
    assertEquals("setosa\nvirginica\n", printed(ServiceExample::main, file));
  }

  @Test
  void listenerSeesEpochs() {
    String printed = printed(ListenerExample::main, IRIS);
    assertTrue(printed.startsWith("epoch 1: loss "), printed);
    assertTrue(printed.matches("(?s).*\naccuracy on the training rows: (0\\.9\\d*|1\\.0)\n"), printed);
  }

  private static String printed(Consumer<String[]> example, Path argument) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream before = System.out;
    try {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      example.accept(new String[] {argument.toString()});
    } finally {
      System.setOut(before);
    }
    return out.toString(StandardCharsets.UTF_8).replace("\r\n", "\n");
  }
}
