package dev.plumb.cli;

import dev.plumb.train.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A copy of a finished run as it was at its beginning: what a kill before the first checkpoint leaves. */
final class StoppedRun {
  private StoppedRun() {}

  static Path make(Path whole, Path folder) throws IOException {
    Files.createDirectories(folder);
    Checkpoint done = Checkpoint.read(whole.resolve("checkpoint.safetensors"));
    TrainRequest request = TrainRequest.of(Arguments.parse(new TrainCommand(new DeviceChoice(dev.plumb.Backends::open)).options(),
        RunFacts.of(done).command()), java.util.Optional.of(RunFacts.of(done).config()), Path.of(RunFacts.of(done).folder()));
    dev.plumb.train.Prepared prepared = dev.plumb.train.Prepared.of(
        dev.plumb.data.TableReader.read(request.data(), request.read()), request.config());
    new Checkpoint(prepared.start(), done.run()).write(folder.resolve("checkpoint.safetensors"));
    return folder;
  }
}
