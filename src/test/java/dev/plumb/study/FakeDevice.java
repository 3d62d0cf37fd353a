package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceInfo;
import dev.plumb.backend.Numerics;
import dev.plumb.backend.OpenableDevice;
import dev.plumb.backend.Refusal;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.reference.ReferenceBackend;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/** The reference as one of several devices: belongs to one thread, counts its sessions, and does what a test asks for. */
final class FakeDevice implements Backend {
  private final ReferenceBackend reference = new ReferenceBackend();
  private final String name;
  private final String model;
  private final IntConsumer onSession;
  private final AtomicInteger sessions = new AtomicInteger();
  private volatile Thread owner;
  private volatile boolean closed;

  /**
   * Creates a device that is not open yet.
   *
   * @param model on which the last bits of results depend, by its numerics
   * @param onSession called before a session is opened, with its number from 1; may throw
   */
  FakeDevice(String name, String model, IntConsumer onSession) {
    this.name = name;
    this.model = model;
    this.onSession = onSession;
  }

  FakeDevice(String name, IntConsumer onSession) {
    this(name, "model X", onSession);
  }

  OpenableDevice openable() {
    return new OpenableDevice(name, this::open);
  }

  Backend open() {
    owner = Thread.currentThread();
    return this;
  }

  int sessions() {
    return sessions.get();
  }

  boolean isClosed() {
    return closed;
  }

  private void requireOwner() {
    if (Thread.currentThread() != owner || closed) {
      throw new IllegalStateException(name + " is used by " + Thread.currentThread());
    }
  }

  @Override
  public DeviceInfo device() {
    return new DeviceInfo(DeviceInfo.Kind.REFERENCE, model);
  }

  @Override
  public Optional<Refusal> refusal(NetworkSpec network, TrainingSpec training, int replicas) {
    return reference.refusal(network, training, replicas);
  }

  @Override
  public TrainingSession open(NetworkSpec network, TrainingSpec training, int replicas) {
    requireOwner();
    onSession.accept(sessions.incrementAndGet());
    return reference.open(network, training, replicas);
  }

  @Override
  public Numerics numerics(NetworkSpec network, TrainingSpec training, int rows) {
    requireOwner();
    return reference.numerics(network, training, rows).with("GPU", model);
  }

  @Override
  public void close() {
    requireOwner();
    closed = true;
  }
}
