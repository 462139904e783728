// Comparison of MACs and signatures, without telling by its duration how much of a guess was right.
import { timingSafeEqual } from "node:crypto";

/** Whether two texts are the same. Only their length shows in the time taken, and that of a digest is no secret. */
export function equalInConstantTime(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
