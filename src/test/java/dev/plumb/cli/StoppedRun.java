package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.data.TableReader;
import dev.plumb.train.Checkpoint;
import dev.plumb.train.PreparedData;
import dev.plumb.train.RunMetadata;
import dev.plumb.train.TrainingRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A copy of a finished run with its initial checkpoint, as after a kill in the first epoch. */
final class StoppedRun {
  private StoppedRun() {}

  static Path make(Path whole, Path folder) throws IOException {
    Files.createDirectories(folder);
    Checkpoint done = Checkpoint.read(whole.resolve("checkpoint.safetensors"));
    RunMetadata metadata = RunMetadata.of(done);
    Arguments arguments = Arguments.parse(new TrainCommand(new DeviceChoice(Backends::open)).options(), metadata.command());
    TrainingRequest request = TrainRequest.of(arguments, Optional.of(metadata.config()), Path.of(metadata.folder()));
    PreparedData prepared = PreparedData.of(TableReader.read(request.data(), request.read()), request.config());
    new Checkpoint(List.of(prepared.start()), done.run()).write(folder.resolve("checkpoint.safetensors"));
    return folder;
  }
}
