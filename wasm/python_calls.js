/**
 * Calling Python through CPython's own C interface: bytes are copied into its memory and out of it,
 * no object of one side is ever held by the other.
 *
 * Pyodide's bridge would make a proxy for every value that crosses, which lives until JavaScript's
 * collector finds it; this costs a microsecond and leaves nothing behind.
 */

/** Arguments that a call may have. */
const ARGUMENTS_MAX = 8;

/** A call failed and the interpreter goes on; any other error that a call throws is its death. */
export class PythonError extends Error {}

const utf8 = new TextEncoder();

export class PythonCalls {
  #module;
  #arguments;

  /**
   * @param {object} module     Emscripten's module, its interpreter running
   * @param {number} arguments_ where the arguments' addresses are put: ARGUMENTS_MAX words
   */
  constructor(module, arguments_ = module._malloc(4 * ARGUMENTS_MAX)) {
    this.#module = module;
    this.#arguments = arguments_;
  }

  /** The block of memory that a restored interpreter must be given again. */
  get arguments() {
    return this.#arguments;
  }

  /** Run statements in the `__main__` module. */
  run(source) {
    const text = this.#text(source);
    const failed = this.#module._PyRun_SimpleStringFlags(text, 0);
    this.#module._free(text);
    if (failed !== 0) throw new PythonError("statements failed, see the log");
  }

  /** Return the address of an attribute of a module, which keeps it alive. */
  imported(moduleName, name) {
    const text = this.#text(moduleName);
    const found = this.#checked(this.#module._PyImport_ImportModule(text));
    this.#module._free(text);
    return this.attribute(found, name);
  }

  /** Return the address of an object's attribute; it is never released. */
  attribute(object, name) {
    const text = this.#text(name);
    const found = this.#checked(this.#module._PyObject_GetAttrString(object, text));
    this.#module._free(text);
    return found;
  }

  /**
   * Call the function at an address; return the bytes that it returns as a copy, else undefined.
   *
   * @param {number} callable
   * @param {(Uint8Array | string | number | boolean)[]} values
   */
  call(callable, values) {
    const module = this.#module;
    const result = this.address(callable, values);
    try {
      if (result === module.__Py_NoneStruct) return undefined;
      const start = this.#checked(module._PyBytes_AsString(result)) >>> 0;
      return module.HEAPU8.slice(start, start + module._PyBytes_Size(result));
    } finally {
      module._Py_DecRef(result);
    }
  }

  /** The same, and return the address of what the function returns; it is never released. */
  address(callable, values) {
    const module = this.#module;
    if (values.length > ARGUMENTS_MAX) throw new PythonError("too many arguments");
    const objects = values.map((value) => this.#checked(this.#object(value)));
    // Making an object may have moved the memory's views: look at them only now.
    objects.forEach((object, place) => {
      module.HEAPU32[(this.#arguments >>> 2) + place] = object;
    });
    const result = module._PyObject_Vectorcall(callable, this.#arguments, objects.length, 0);
    for (const object of objects) module._Py_DecRef(object);
    return this.#checked(result);
  }

  /** Return the address of a new Python object. */
  #object(value) {
    const module = this.#module;
    if (value instanceof Uint8Array) return this.#bytes(value);
    if (typeof value === "boolean") return module._PyBool_FromLong(value ? 1 : 0);
    if (typeof value === "number" && Number.isSafeInteger(value))
      return module._PyLong_FromDouble(value);
    if (typeof value === "number") return module._PyFloat_FromDouble(value);
    if (typeof value !== "string") throw new PythonError(`Python is not given a ${typeof value}`);
    const text = this.#text(value);
    const object = module._PyUnicode_FromString(text);
    module._free(text);
    return object;
  }

  #bytes(value) {
    const object = this.#checked(this.#module._PyBytes_FromStringAndSize(0, value.byteLength));
    const start = this.#module._PyBytes_AsString(object) >>> 0;
    this.#module.HEAPU8.set(value, start);
    return object;
  }

  /** Return the address of a C string, to be freed. */
  #text(value) {
    const bytes = utf8.encode(value);
    const start = this.#module._malloc(bytes.length + 1) >>> 0;
    this.#module.HEAPU8.set(bytes, start);
    this.#module.HEAPU8[start + bytes.length] = 0;
    return start;
  }

  #checked(address) {
    if (address !== 0) return address;
    this.#module._PyErr_Print();
    throw new PythonError("Python raised an error, its traceback is in the log");
  }
}
