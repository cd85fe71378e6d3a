/** What is left behind nowhere: the service is told, and with the last card the browser is emptied. */

import { askDevice, type DeviceAccess } from "../protocol/device_api.ts";
import { unmarkCards } from "../store/marker.ts";
import { CACHE_PREFIX } from "../worker/words.ts";

/** Tells the service that a phone is not used any more; whether it heard us. */
export async function endQuietly(device: DeviceAccess): Promise<boolean> {
  try {
    await askDevice(device, "DELETE", "");
    return true;
  } catch {
    return false; // away, or it had ended the device itself
  }
}

/** The rest, when no card is left: nudges, notifications, the page's own files. */
export async function leaveBrowser(): Promise<void> {
  unmarkCards();
  const registration = await navigator.serviceWorker.getRegistration();
  if (registration !== undefined) {
    const subscription = await registration.pushManager.getSubscription();
    await subscription?.unsubscribe();
    for (const notification of await registration.getNotifications()) notification.close();
    // Goes when the last tab is closed; the next visit brings the wallet anew.
    await registration.unregister();
  }
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(CACHE_PREFIX)).map((name) => caches.delete(name)));
}
