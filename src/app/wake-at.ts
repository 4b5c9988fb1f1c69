/** The longest that one timer of Node can wait (32 bits of milliseconds). */
const longestMs = 2_147_483_647;

/** Calls back once at a time of the system's clock, however far it is; asks the clock again where one timer is too short. */
export function wakeAt(atMs: number, wake: () => void): Disposable {
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const leftMs = atMs - Date.now();
    timer = leftMs <= 0 ? setTimeout(wake, 0) : setTimeout(wait, Math.min(leftMs, longestMs));
  };
  wait();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
