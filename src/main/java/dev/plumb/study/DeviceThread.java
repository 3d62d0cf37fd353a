package dev.plumb.study;

import dev.plumb.backend.Backend;
import dev.plumb.backend.DeviceFailedException;
import dev.plumb.backend.DeviceUnavailableException;
import dev.plumb.backend.OpenableDevice;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/** A thread that owns one device: it opens the device, runs tasks on it one after the other, and closes it. */
public final class DeviceThread implements AutoCloseable {
  private final String name;
  private final ExecutorService thread;
  private final Future<Backend> opened;

  /** Starts the thread, which opens the device. */
  public DeviceThread(OpenableDevice device) {
    name = device.name();
    thread = Executors.newSingleThreadExecutor(task -> {
      Thread created = new Thread(task, "plumb-" + name);
      created.setDaemon(true);
      return created;
    });
    opened = thread.submit(device::open);
  }

  String name() {
    return name;
  }

  /** Starts a task after those that were started before; the task fails as opening failed. */
  public <T> Future<T> start(Function<Backend, T> task) {
    return thread.submit(() -> task.apply(await(opened)));
  }

  /** Returns the result of a task or throws its exception. Keeps waiting when the calling thread is interrupted. */
  public static <T> T await(Future<T> task) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          if (e.getCause() instanceof Error error) {
            throw error;
          }
          throw (RuntimeException) e.getCause();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Closes the device after its tasks. A device that fails now has no more results to lose. */
  @Override
  public void close() {
    Future<Boolean> closed = start(backend -> {
      backend.close();
      return true;
    });
    thread.shutdown();
    try {
      await(closed);
    } catch (DeviceFailedException | DeviceUnavailableException e) {
      // Already reported if it failed while it was used.
    }
  }
}
