import type { ListedContainer } from './listed-container.ts';
import type { ListedImage } from './listed-image.ts';

/** In what the engines with this API differ. */
export interface Dialect {
  /** Whether it begins to answer who asks for events no sooner than there is one; it then keeps those that were. */
  readonly isSilent: boolean;
  /** Containers that only hold up a pod: its network, and nothing that anybody runs. */
  isInfrastructure(container: ListedContainer, reference: string): boolean;
  /** Whether nothing says that a registry has it. */
  isLocal(image: ListedImage): boolean;
}
