// A button that asks the kernel for a file and lets the browser keep it.

interface Model {
  get(name: "label"): string;
  on(event: string, callback: (...given: never[]) => void): void;
  off(event: string, callback: (...given: never[]) => void): void;
  send(content: string): void;
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const button = document.createElement("button");
  button.className = "jupyter-button widget-button";
  button.style.width = "auto";
  button.style.minHeight = "32px";
  button.textContent = model.get("label");
  button.addEventListener("click", () => {
    button.disabled = true;
    model.send("give");
  });
  const keep = (content: { name: string }, buffers: DataView[]) => {
    button.disabled = false;
    const place = URL.createObjectURL(new Blob(buffers as DataView<ArrayBuffer>[]));
    const link = document.createElement("a");
    link.href = place;
    link.download = content.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(place), 10_000);
  };
  model.on("msg:custom", keep as never);
  el.append(button);
  return () => model.off("msg:custom", keep as never);
}

export default { render };
