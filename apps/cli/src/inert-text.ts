/**
 * Text of others for whoever shows it as Markdown or HTML, as chat clients do: an image or a tag in it would have the
 * reader's machine fetch an address of the writer's choice, which tells him who reads it, and when. What stands there is
 * shown as it stands. By a backslash nothing can be said of `<`: one may stand before it already.
 */
export const inertText = (text: string): string => text.replace(/!(?=\[)/g, '!\\').replace(/<(?=[a-z/!?])/gi, '&lt;');
