/** What the page keeps, in IndexedDB: values by name, and the live codes that were shown. */

const NAME = "esc-verifier";
export const VALUES = "values";
export const SHOWN = "shown";

/** Nothing can be stored here, or read. */
export class StorageError extends Error {
  constructor(cause: unknown) {
    super("the browser's storage cannot be used", { cause });
    this.name = "StorageError";
  }
}

export class Database {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  static async open(name = NAME): Promise<Database> {
    const opening = wrap(() => indexedDB.open(name, 1));
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(VALUES);
      opening.result.createObjectStore(SHOWN).createIndex("until", "");
    };
    return new Database(await resultOf(opening));
  }

  async get<Value>(name: string): Promise<Value | undefined> {
    return this.run(VALUES, "readonly", (store) => store.get(name) as IDBRequest<Value | undefined>);
  }

  async put(name: string, value: unknown): Promise<void> {
    await this.run(VALUES, "readwrite", (store) => store.put(value, name));
  }

  async remove(name: string): Promise<void> {
    await this.run(VALUES, "readwrite", (store) => store.delete(name));
  }

  /** Changes a value in one transaction. */
  async change<Value>(name: string, change: (before: Value | undefined) => Value): Promise<Value> {
    const transaction = wrap(() => this.#database.transaction(VALUES, "readwrite", { durability: "strict" }));
    const store = transaction.objectStore(VALUES);
    const after = change(await resultOf(store.get(name) as IDBRequest<Value | undefined>));
    store.put(after, name);
    await endOf(transaction);
    return after;
  }

  async clear(): Promise<void> {
    await this.run(VALUES, "readwrite", (store) => store.clear());
    await this.run(SHOWN, "readwrite", (store) => store.clear());
  }

  /** One request in a transaction of its own; returns when it is on the disk. */
  async run<Value>(
    store: string,
    mode: IDBTransactionMode,
    ask: (store: IDBObjectStore) => IDBRequest<Value>,
  ): Promise<Value> {
    const transaction = wrap(() => this.#database.transaction(store, mode, { durability: "strict" }));
    const request = ask(transaction.objectStore(store));
    await endOf(transaction);
    return request.result;
  }
}

function wrap<Value>(ask: () => Value): Value {
  try {
    return ask();
  } catch (error) {
    throw new StorageError(error);
  }
}

function resultOf<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(new StorageError(request.error));
    };
  });
}

function endOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => {
      resolve();
    };
    transaction.onabort = () => {
      reject(new StorageError(transaction.error));
    };
  });
}
