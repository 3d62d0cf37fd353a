package dev.plumb.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.plumb.backend.Backend;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.data.ReadOptions;
import dev.plumb.data.Table;
import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingRequestTest {
  private static final ConfigSelector SLOW = new ConfigSelector() {
    @Override
    public boolean trains(Table table, TrainConfig config) {
      return true;
    }

    @Override
    public Selection select(Table table, TrainConfig config) {
      throw new AssertionError("networks are trained before the other files are checked");
    }
  };

  @TempDir
  private Path folder;

  @Test
  void otherFilesAreCheckedBeforeAConfigurationIsChosen() throws IOException {
    Path data = Files.writeString(folder.resolve("data.csv"), "x,y\n1,a\n2,b\n3,a\n4,b\n");
    Path test = Files.writeString(folder.resolve("test.csv"), "x,y\n1,a\n2,c\n");
    assertEquals(test + ": row 2: \"c\" in column \"y\" is not one of the training classes: a, b",
        fault(data, Optional.of(test), folder.resolve("runs")));
    assertEquals("cannot make a run folder in " + test + ": it is a file, not a folder", fault(data, Optional.empty(), test));
  }

  private static String fault(Path data, Optional<Path> test, Path runs) {
    TrainingRequest request = new TrainingRequest(data, ReadOptions.DEFAULT, test, Optional.empty(), TrainConfig.DEFAULT, "data", runs);
    try (Backend backend = new ReferenceBackend()) {
      return assertThrows(InvalidInputException.class, () -> request.prepare(backend, SLOW)).getMessage();
    }
  }
}
