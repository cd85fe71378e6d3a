// A refusal has a name from the documents; anything else that is thrown is a fault of this program.

export class Refusal extends Error {
  constructor(name, message) {
    super(message ?? name);
    this.name = name;
  }
}

export function refuse(name, message) {
  throw new Refusal(name, message);
}

// Runs `step`; a refusal of one of the names `from` becomes the refusal `to`.
export function as(to, step) {
  try {
    return step();
  } catch (error) {
    if (error instanceof Refusal) refuse(to, error.message);
    throw error;
  }
}
