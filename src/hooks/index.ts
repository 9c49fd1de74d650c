export { isReadable } from './document.ts';
export { isSignedWith, isSigned, provesItself, type Headers } from './proof.ts';
export { readNotification, type Mention, type Notification } from './notification.ts';
