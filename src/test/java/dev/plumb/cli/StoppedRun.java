package dev.plumb.cli;

import dev.plumb.Backends;
import dev.plumb.data.TableReader;
import dev.plumb.train.Checkpoint;
import dev.plumb.train.PreparedData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A copy of a finished run as it was at its beginning: what a kill before the first checkpoint leaves. */
final class StoppedRun {
  private StoppedRun() {}

  static Path make(Path whole, Path folder) throws IOException {
    Files.createDirectories(folder);
    Checkpoint done = Checkpoint.read(whole.resolve("checkpoint.safetensors"));
    RunMetadata facts = RunMetadata.of(done);
    Arguments arguments = Arguments.parse(new TrainCommand(new DeviceChoice(Backends::open)).options(), facts.command());
    TrainRequest request = TrainRequest.of(arguments, Optional.of(facts.config()), Path.of(facts.folder()));
    PreparedData prepared = PreparedData.of(TableReader.read(request.data(), request.read()), request.config());
    new Checkpoint(prepared.start(), done.run()).write(folder.resolve("checkpoint.safetensors"));
    return folder;
  }
}
