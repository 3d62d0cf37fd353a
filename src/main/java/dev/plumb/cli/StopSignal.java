package dev.plumb.cli;

import java.io.PrintStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Turns SIGINT and SIGTERM into a stop request: while open, the first signal sets a flag, and the second ends the process.
 * A shutdown hook would run together with the hooks of libraries that training still needs, and could not set the exit code.
 *
 * <p>{@code sun.misc.Signal} is part of every JDK (module jdk.unsupported), but javac always warns about it, so it is called by
 * reflection. If it is missing, or the JVM does not pass signals on (-Xrs), signals end the process as usual.
 */
final class StopSignal implements AutoCloseable {
  private static final List<String> SIGNALS = List.of("INT", "TERM");

  /** A signal and its previous handler. */
  private record Replaced(Object signal, Object handler) {}

  private final AtomicBoolean requested = new AtomicBoolean();
  private final List<Replaced> replaced = new ArrayList<>();

  private StopSignal() {}

  /**
   * Installs the handlers.
   *
   * @param more the end of the message: what a second signal loses
   * @param err takes a message about the request
   */
  static StopSignal open(String more, PrintStream err) {
    StopSignal stop = new StopSignal();
    InvocationHandler handler = (proxy, method, arguments) -> switch (method.getName()) {
      case "handle" -> {
        stop.signalled(more, err);
        yield null;
      }
      case "hashCode" -> System.identityHashCode(proxy);
      case "equals" -> proxy == arguments[0];
      default -> "Plumb's handler of signals";
    };
    for (String signal : SIGNALS) {
      stop.replace(signal, handler);
    }
    return stop;
  }

  boolean isRequested() {
    return requested.get();
  }

  private void signalled(String more, PrintStream err) {
    if (requested.getAndSet(true)) {
      Runtime.getRuntime().halt(ExitCode.STOPPED);
    }
    err.println("stopping after this step; a second Ctrl-C stops immediately" + more);
    err.flush();
  }

  private void replace(String name, InvocationHandler handler) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
      Object proxy = Proxy.newProxyInstance(handlerType.getClassLoader(), new Class<?>[] {handlerType}, handler);
      Object ours = signal.getConstructor(String.class).newInstance(name);
      replaced.add(new Replaced(ours, signal.getMethod("handle", signal, handlerType).invoke(null, ours, proxy)));
    } catch (ReflectiveOperationException e) {
      // Then the signal ends the process, and the run can be resumed from its last checkpoint.
    }
  }

  @Override
  public void close() {
    for (Replaced previous : replaced) {
      try {
        Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
        Class<?> signal = previous.signal().getClass();
        signal.getMethod("handle", signal, handlerType).invoke(null, previous.signal(), previous.handler());
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("the previous signal handler cannot be restored", e);
      }
    }
    replaced.clear();
  }
}
