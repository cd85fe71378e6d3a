/** What page and service worker say to each other. */

export const CACHE_PREFIX = "esc-wallet-";
export const REFRESH_TAG = "refresh";
/** The page has nothing open that the new version could disturb. */
export const TAKE_OVER = "take-over";
